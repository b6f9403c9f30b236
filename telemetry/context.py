"""What is being worked on, for whoever logs or records: request id, address, build, deployment. Per thread."""

import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token

Context = Mapping[str, str]

_context: ContextVar[Context] = ContextVar("telemetry", default={})  # noqa: B039 - never changed in place
# What a proxy makes: a UUID, a hash, a trace id. Anything else could forge log lines, or fill them.
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:+/=-]{8,128}", re.ASCII)


def current() -> Context:
    return _context.get()


@contextmanager
def bound(**values: object) -> Iterator[None]:
    """Inside, these are known, beside what was before."""
    token = enter(**values)
    try:
        yield
    finally:
        leave(token)


def enter(**values: object) -> "Token[Context]":
    """As `bound`, until `leave` is called with what this returns; or as long as an outer `bound`."""
    return _context.set({**_context.get(), **{name: str(value) for name, value in values.items() if value}})


def leave(token: "Token[Context]") -> None:
    _context.reset(token)


def read_request_id(sent: str) -> str:
    """The id that a proxy gave the request, when it looks like one; else a new one."""
    return sent if _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
