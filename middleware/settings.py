"""What an operator may set of the HTTP layer; a part of the settings of every process that serves."""

from pydantic import PositiveInt

from foundation.settings import Options


class ConnectionLimits(Options):
    """How many connections a process keeps open."""

    total: PositiveInt = 512
    """Connections at once; one more is refused with 503."""
    per_address: PositiveInt = 256
    """Connections at once from one address, which a reverse proxy is too; one more is refused with 503."""
