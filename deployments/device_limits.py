"""How much one address may ask: enough for thirty thousand phones behind it, too little to occupy a server.

At the defaults 30,000 requests at once, and 1,000 per second: 30,000 phones that open their apps in the same second,
and then each every half minute. Reports of one build from one address: half of each. For each web process.
"""

from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from builds.rate_limit import RateLimit
from deployments.device_http import Answer, Environ, text
from telemetry import measures
from telemetry.addresses import find_public_address
from telemetry.settings_once import settings_once

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

BURST_SECONDS = 30


def allows(environ: Environ) -> bool:
    """Whether the address may ask now. One of a private network may always: it is a proxy, or one's own."""
    rate = settings_once.DEVICE_REQUESTS_PER_SECOND
    address = find_public_address(environ) if rate else ""
    return not address or _requests(rate).take(address)


def allows_report(environ: Environ, deployment_key: str) -> bool:
    """Whether the address may report on this build now."""
    rate = settings_once.DEVICE_REQUESTS_PER_SECOND
    address = find_public_address(environ) if rate else ""
    return not address or _reports(rate / 2).take((address, deployment_key))


def too_many() -> Answer:
    """429. Clients come back by themselves."""
    measures.RATE_LIMITED.labels("device").inc()
    sentence = "Too many requests from this address. Try again later."
    return text(HTTPStatus.TOO_MANY_REQUESTS, sentence, ("Retry-After", "10"), outcome="limited")


def refuse(environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
    """In place of any device endpoint."""
    said = too_many()
    start_response(said.status_line, said.headers[:])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [said.body]


@cache
def _requests(rate: float) -> RateLimit:
    return RateLimit(rate, burst=round(rate * BURST_SECONDS))


@cache
def _reports(rate: float) -> RateLimit:
    return RateLimit(rate, burst=round(rate * BURST_SECONDS))
