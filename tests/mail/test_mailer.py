"""Mails to a real server over TCP, and into the outbox."""

import stat
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from pydantic import ValidationError

from mail.errors import MailNotSent
from mail.mailer import Mail, open_mailer
from mail.settings import MailOptions
from tests.mail.smtp import Mailbox, mail_server
from tests.services import free_port

MAIL = Mail("ada@example.org", "Grüße", "Tokens:\n.hidden\n.\nend\n")


@pytest.fixture
def mailbox() -> Mailbox:
    with mail_server() as running:
        yield running  # type: ignore[misc]


def test_a_mail_arrives_as_it_was_written(mailbox: Mailbox, tmp_path: Path) -> None:
    open_mailer(MailOptions(smtp_url=mailbox.url, sender="books@example.org"), tmp_path).send(MAIL)

    [message] = mailbox.messages
    assert (message["From"], message["To"]) == ("books@example.org", "ada@example.org")
    assert message["Subject"] == "Grüße"
    assert message.get_content().replace("\r\n", "\n") == MAIL.text
    assert not list(tmp_path.iterdir())


def test_without_a_mail_server_a_mail_is_a_file_for_the_operator_alone(tmp_path: Path) -> None:
    open_mailer(MailOptions(), tmp_path).send(MAIL)

    [file] = (tmp_path / "outbox").iterdir()
    message = message_from_bytes(file.read_bytes(), policy=default)
    assert message["To"] == "ada@example.org"
    assert message.get_content().replace("\r\n", "\n") == MAIL.text  # type: ignore[attr-defined]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_refusal_names_nobody(mailbox: Mailbox, tmp_path: Path, command: str) -> None:
    mailbox.refuses = command

    with pytest.raises(MailNotSent) as refused:
        open_mailer(MailOptions(smtp_url=mailbox.url), tmp_path).send(MAIL)

    assert "ada" not in repr(refused.value)
    assert refused.value.__cause__ is None


def test_a_server_that_is_down_is_told(tmp_path: Path) -> None:
    mailer = open_mailer(MailOptions(smtp_url=f"smtp://127.0.0.1:{free_port()}"), tmp_path)

    with pytest.raises(MailNotSent, match="ConnectionRefusedError"):
        mailer.send(MAIL)


def test_no_password_is_sent_in_the_clear(mailbox: Mailbox, tmp_path: Path) -> None:
    mailer = open_mailer(MailOptions(smtp_url=f"smtp://me:secret@127.0.0.1:{mailbox.port}"), tmp_path)

    with pytest.raises(MailNotSent, match="offers no TLS"):
        mailer.send(MAIL)

    assert mailbox.messages == []


def test_an_outbox_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file")

    with pytest.raises(MailNotSent, match="cannot be written to"):
        open_mailer(MailOptions(), tmp_path).send(MAIL)


@pytest.mark.parametrize(
    "url",
    ["http://host", "smtp://", "smtp://user:pass@", "smtp://host:0", "smtp://host:x", "smtp://host/path"],
)
def test_what_is_no_url_of_a_mail_server_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValidationError, match="smtp://") as refused:
        MailOptions(smtp_url=url)

    assert refused.value.error_count() == 1


@pytest.mark.parametrize("sender", ["", "me", "me@", "a b@c", "a@b\nBcc: x@y"])
def test_a_sender_is_an_address(sender: str) -> None:
    with pytest.raises(ValidationError):
        MailOptions(sender=sender)
