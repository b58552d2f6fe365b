"""Who is told of what operators should know."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr

from foundation.settings import Options, ProcessSettings
from foundation.urls import SecretHookUrl
from mail.settings import Address, MailOptions


def _split(value: Any) -> Any:
    """`a@x.org, b@x.org` as a list; JSON has been read already."""
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


class NotifyOptions(Options):
    """Where notifications go; without any of these, nowhere."""

    emails: Annotated[tuple[Address, ...], BeforeValidator(_split)] = ()
    """Addresses that get each as a mail, with commas."""
    webhook_url: SecretHookUrl | None = None
    """Where each is posted as JSON."""
    webhook_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    """What posts are signed with, so that their receiver knows them for ours."""


class NotifySettings(ProcessSettings):
    """Read once, before what may be told of begins."""

    mail: MailOptions = MailOptions()
    notify: NotifyOptions = NotifyOptions()
