"""Who is calling: the address of the client, as far as it can be known."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from telemetry.settings_once import settings_once


def find_address(environ: Mapping[str, Any]) -> str:
    """The client's IP address; "" where nobody can say.

    Each proxy appends whom it was called by to X-Forwarded-For. Only as many as the operator says are his own are
    believed (TRUSTED_PROXY_COUNT): what stands before could be written by anybody.
    """
    return _normalise(_find_sent(environ))


def find_public_address(environ: Mapping[str, Any]) -> str:
    """As `find_address`; "" for one of this host or of a private network. Each update check pays for this."""
    return _normalise_public(_find_sent(environ))


def _find_sent(environ: Mapping[str, Any]) -> str:
    if not settings_once.TRUSTED_PROXY_COUNT:
        sent: str = environ.get("REMOTE_ADDR", "")
        return sent
    hops = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
    return str(hops[max(0, len(hops) - settings_once.TRUSTED_PROXY_COUNT)].strip())


@lru_cache(maxsize=10_000)
def _normalise_public(sent: str) -> str:
    address = _normalise(sent)
    return address if address and ipaddress.ip_address(address).is_global else ""


def _normalise(sent: str) -> str:
    try:
        address = ipaddress.ip_address(sent)
    except ValueError:
        return ""
    # An IPv4 client of a server that listens on IPv6.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
