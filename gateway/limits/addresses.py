"""From which network a request comes: what limits by address count."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final

from starlette.types import Scope

IPV6_PREFIX: Final = 64
"""What one customer is given, and may take any address of."""


def find_network(scope: Scope) -> str:
    """The address of a client, as trusted proxies tell it; of IPv6, the network.

    uvicorn has put it into the scope (gateway/serve.py), so that there is one opinion on whom to believe.
    """
    client: tuple[str, Any] | None = scope.get("client")
    return "socket" if client is None else _name_network(client[0])


@lru_cache(4096)
def _name_network(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return host[:64]  # a trusted proxy names its clients otherwise
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), IPV6_PREFIX), strict=False))
