"""The little of HTTP that the device plane needs: plain WSGI, in front of Django's request stack."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

logger = logging.getLogger(__name__)

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, "StartResponse"], Iterable[bytes]]
Header = tuple[str, str]

TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"

# Phones need none of this; web views and browser tools do.
_ANY_ORIGIN = ("Access-Control-Allow-Origin", "*")
_NO_GUESSING = ("X-Content-Type-Options", "nosniff")
_ALLOW_HEADERS = "Content-Type, X-CodePush-Plugin-Name, X-CodePush-Plugin-Version, X-CodePush-SDK-Version"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint says, ready to be sent. One without `chunks` may be kept and sent again."""

    status_line: str
    headers: list[Header]
    body: bytes = b""
    # Instead of `body`, for what should not be held in memory.
    chunks: Iterable[bytes] | None = None
    # What it is counted as.
    outcome: str = ""


def answer(status: HTTPStatus, body: bytes, content_type: str, *headers: Header, outcome: str = "") -> Answer:
    return Answer(_status_line(status), _describe_content(content_type, len(body), headers), body, outcome=outcome)


def stream(status: HTTPStatus, chunks: Iterable[bytes], length: int, content_type: str, *headers: Header) -> Answer:
    return Answer(_status_line(status), _describe_content(content_type, length, headers), chunks=chunks)


def without_content(status: HTTPStatus, *headers: Header) -> Answer:
    """Neither a type nor a length, as in a 304: a cache would take them for those of the archive that it keeps."""
    return Answer(_status_line(status), [_ANY_ORIGIN, *headers])


def text(status: HTTPStatus, sentence: str, *headers: Header, outcome: str = "") -> Answer:
    """A short plain-text reason: the SDK shows it to the developer of the app."""
    return answer(status, sentence.encode(), TEXT, *headers, outcome=outcome)


def unavailable() -> Answer:
    """Nothing can be said now; clients come back by themselves."""
    return text(HTTPStatus.SERVICE_UNAVAILABLE, "Try again later.", ("Retry-After", "5"), outcome="unavailable")


def device_endpoint(method: str) -> Callable[[Callable[[Environ], Answer]], WsgiApp]:
    """Make a WSGI callable of a function from environ to `Answer`: method, HEAD, preflight and faults are handled."""
    allowed = ["GET", "HEAD"] if method == "GET" else [method]
    preflight = without_content(
        HTTPStatus.NO_CONTENT,
        ("Access-Control-Allow-Headers", _ALLOW_HEADERS),
        ("Access-Control-Allow-Methods", ", ".join(allowed)),
        ("Access-Control-Max-Age", "86400"),
    )
    not_allowed = text(HTTPStatus.METHOD_NOT_ALLOWED, f"Use {method}.", ("Allow", ", ".join(allowed)))

    def decorate(endpoint: Callable[[Environ], Answer]) -> WsgiApp:
        def application(environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
            sent = environ["REQUEST_METHOD"]
            said = _ask(endpoint, environ) if sent in allowed else preflight if sent == "OPTIONS" else not_allowed
            # A copy: the server may change the list (PEP 3333), and the answer may be sent again.
            start_response(said.status_line, said.headers[:])
            if sent == "HEAD":
                return []
            return [said.body] if said.chunks is None else said.chunks

        return application

    return decorate


def _ask(endpoint: Callable[[Environ], Answer], environ: Environ) -> Answer:
    try:
        return endpoint(environ)
    except Exception:
        logger.exception("device request failed: %s", environ.get("PATH_INFO"))
        return text(HTTPStatus.INTERNAL_SERVER_ERROR, "The server made a mistake; it is in its log.")


# One list for all kept answers of a kind and length.
@lru_cache(maxsize=1000)
def _describe_content(content_type: str, length: int, headers: tuple[Header, ...]) -> list[Header]:
    # Content-Length always: Android fails a download without it (docs/protocol.md, "Download").
    return [("Content-Type", content_type), ("Content-Length", str(length)), _ANY_ORIGIN, _NO_GUESSING, *headers]


# One text for all kept answers.
@cache
def _status_line(status: HTTPStatus) -> str:
    return f"{status.value} {status.phrase}"
