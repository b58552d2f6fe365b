"""What can go wrong with a mail."""


class MailNotSent(Exception):
    """The mail server did not take it; the message names no address, since it is logged."""
