"""What a gateway that serves more than its own machine must be told: its defaults are good for one alone."""

from collections.abc import Sequence

from foundation.settings import find_variable
from gateway.settings import GatewaySettings
from mail.settings import MailOptions


class UnsafeDefaults(Exception):
    """Settings that production needs are not set."""

    def __init__(self, variables: Sequence[str]) -> None:
        super().__init__(
            f"{find_variable('production')} refuses the defaults of {', '.join(variables)}: set them; "
            "docs/operating.md tells why"
        )
        self.variables = variables


def check_production(settings: GatewaySettings) -> None:
    """Raise UnsafeDefaults if somebody outside this machine is served by them."""
    if not settings.production:
        return
    unsafe = {
        ("gateway", "accounts", "secret"): settings.gateway.accounts.secret is None,
        ("mail", "smtp_url"): settings.mail.smtp_url is None,
        ("mail", "sender"): settings.mail.sender == MailOptions().sender,
    }
    if any(unsafe.values()):
        raise UnsafeDefaults([find_variable(*path) for path, is_unsafe in unsafe.items() if is_unsafe])
