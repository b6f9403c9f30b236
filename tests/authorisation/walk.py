"""One request of the walk: what came of it, what it wrote, and whether it told a secret."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.test import Client

from tests.authorisation.world import SECRET, Headers

# Not of a private network, as most who ask.
_ADDRESS = "93.184.216.34"
_SIGN_IN_PAGES = ("/sign-in/?next=", "/admin/login/?next=")
_WRITES = ("INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True)
class Asked:
    outcome: str
    writes: list[str]
    tells_secret: bool

    def list_faults(self, expected: str, *, may_know: bool) -> list[str]:
        """What is wrong with it, in words. Whoever is refused has changed nothing; a stranger has learnt nothing."""
        faults = [] if self.outcome == expected else [f"{self.outcome}, expected {expected}"]
        if self.outcome != "ok" and self.writes:
            faults.append(f"refused ({self.outcome}), and wrote: {self.writes[0]}")
        if self.tells_secret and not may_know:
            faults.append("told what only members may read")
        return faults


class Walker:
    def __init__(self) -> None:
        self._client = Client(raise_request_exception=False, REMOTE_ADDR=_ADDRESS)

    def ask(self, method: str, path: str, headers: Headers, body: bytes = b"", content_type: str = "") -> Asked:
        """Whatever it does is undone."""
        # What an earlier answer set is another browser's.
        self._client.cookies.clear()
        content_type = content_type or "application/x-www-form-urlencoded"
        with transaction.atomic(), _record_writes() as writes:
            response: Any = self._client.generic(method, path, body, content_type, headers=headers)
            content = response.getvalue()
            transaction.set_rollback(True)
        told = SECRET.encode() in content or SECRET in str(response.headers)
        return Asked(name_outcome(response), writes, told)


def name_outcome(response: Any) -> str:
    """ "ok": permission was no obstacle, whatever else may have been (a form with errors, a state that forbids it)."""
    location = response.headers.get("Location", "")
    if location.startswith(_SIGN_IN_PAGES):
        return "sign-in"
    is_refused = response.status_code in (401, 403, 404, 405) or response.status_code >= 500
    return str(response.status_code) if is_refused else "ok"


@contextmanager
def _record_writes() -> Iterator[list[str]]:
    writes: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.lstrip().upper().startswith(_WRITES):
            writes.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield writes
