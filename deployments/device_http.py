"""The little of HTTP that the device plane needs: plain WSGI, in front of Django's request stack."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

logger = logging.getLogger(__name__)

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, "StartResponse"], Iterable[bytes]]

TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"

# Phones need none of this; web views and browser tools do.
_ANY_ORIGIN = ("Access-Control-Allow-Origin", "*")
_PREFLIGHT = [
    _ANY_ORIGIN,
    (
        "Access-Control-Allow-Headers",
        "Content-Type, X-CodePush-Plugin-Name, X-CodePush-Plugin-Version, X-CodePush-SDK-Version",
    ),
    ("Access-Control-Max-Age", "86400"),
    ("Content-Length", "0"),
]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint says. `chunks` instead of `body` for what should not be held in memory; then with its length."""

    status: HTTPStatus
    body: bytes = b""
    content_type: str = TEXT
    headers: list[tuple[str, str]] = field(default_factory=list)
    chunks: Iterable[bytes] | None = None
    length: int | None = None


def text(status: HTTPStatus, sentence: str, *headers: tuple[str, str]) -> Answer:
    """A short plain-text reason: the SDK shows it to the developer of the app."""
    return Answer(status, sentence.encode(), headers=list(headers))


def unavailable() -> Answer:
    """Nothing can be said now; clients come back by themselves."""
    return text(HTTPStatus.SERVICE_UNAVAILABLE, "Try again later.", ("Retry-After", "5"))


def device_endpoint(method: str) -> Callable[[Callable[[Environ], Answer]], WsgiApp]:
    """Make a WSGI callable of a function from environ to `Answer`: method, HEAD, preflight and faults are handled."""
    allowed = ["GET", "HEAD"] if method == "GET" else [method]
    preflight = [*_PREFLIGHT, ("Access-Control-Allow-Methods", ", ".join(allowed))]
    not_allowed = text(HTTPStatus.METHOD_NOT_ALLOWED, f"Use {method}.", ("Allow", ", ".join(allowed)))

    def decorate(endpoint: Callable[[Environ], Answer]) -> WsgiApp:
        def application(environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
            sent = environ["REQUEST_METHOD"]
            if sent == "OPTIONS":
                start_response("204 No Content", list(preflight))
                return []
            if sent not in allowed:
                return _send(not_allowed, sent, start_response)
            try:
                answer = endpoint(environ)
            except Exception:
                logger.exception("device request failed: %s", environ.get("PATH_INFO"))
                answer = text(HTTPStatus.INTERNAL_SERVER_ERROR, "The server made a mistake; it is in its log.")
            return _send(answer, sent, start_response)

        return application

    return decorate


def _send(answer: Answer, method: str, start_response: "StartResponse") -> Iterable[bytes]:
    length = len(answer.body) if answer.length is None else answer.length
    # Content-Length always: Android fails a download without it (docs/protocol.md, "Download").
    content = [("Content-Type", answer.content_type), ("Content-Length", str(length))]
    if answer.status == HTTPStatus.NOT_MODIFIED:
        # A cache would take these for the type and length of the archive that it keeps.
        content = []
    start_response(f"{answer.status.value} {answer.status.phrase}", [*content, _ANY_ORIGIN, *answer.headers])
    if method == "HEAD":
        return []
    return [answer.body] if answer.chunks is None else answer.chunks
