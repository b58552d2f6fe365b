"""What is an e-mail address, and which two are one."""

from email_validator import EmailNotValidError, validate_email

from catalog.errors import EmailInvalid


def fold_email(text: str) -> str:
    """An address as it is stored: in small letters, since no mailbox tells them from capitals.

    Names of an intranet are addresses too. Raises EmailInvalid.
    """
    try:
        checked = validate_email(text.strip(), check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise EmailInvalid(str(error)) from None
    return checked.normalized.lower()
