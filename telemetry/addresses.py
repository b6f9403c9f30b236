"""Who is calling: the address of the client, as far as it can be known."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings


def find_address(environ: Mapping[str, Any]) -> str:
    """The client's IP address; "" where nobody can say.

    Each proxy appends whom it was called by to X-Forwarded-For. Only as many as the operator says are his own are
    believed (TRUSTED_PROXY_COUNT): what stands before could be written by anybody.
    """
    if not settings.TRUSTED_PROXY_COUNT:
        return _normalise(environ.get("REMOTE_ADDR", ""))
    hops = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
    return _normalise(hops[max(0, len(hops) - settings.TRUSTED_PROXY_COUNT)].strip())


@lru_cache(maxsize=10_000)
def is_private(address: str) -> bool:
    """Whether it is of this host or of a private network; "" counts as such."""
    return not address or not ipaddress.ip_address(address).is_global


@lru_cache(maxsize=10_000)
def _normalise(sent: str) -> str:
    try:
        address = ipaddress.ip_address(sent)
    except ValueError:
        return ""
    # An IPv4 client of a server that listens on IPv6.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
