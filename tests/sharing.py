"""The suite in several processes (pytest-xdist, `make test`): what each has of its own, and which tests it takes.

Databases are pytest-django's job; ports are those that are free.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

# "gw0", "gw1" …; empty in a process that runs the suite alone.
_NAME = os.environ.get("PYTEST_XDIST_WORKER", "")
_NUMBER = int(_NAME.removeprefix("gw") or 0)
# Each of these starts several processes that must keep times; two at a time could not.
_KEEP_TIMES = tuple(Path(__file__).parent / name for name in ("flows", "drills"))


def own_folder(folder: str) -> str:
    path = Path(folder, _NAME)
    path.mkdir(exist_ok=True)
    return str(path)


def own_redis(url: str) -> str:
    """The database of that Redis server as many numbers further."""
    if not url or not _NUMBER:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{int(parts.path.strip('/') or 0) + _NUMBER}"))


def let_flows_go_first() -> None:
    """A process that has none of them, because the first one takes them, waits for that one's."""
    if _NUMBER:
        os.nice(10)


def share_out(items: list[pytest.Item]) -> None:
    """Each process takes whole files, and the first one all flows, with which it begins."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group("flows" if _keeps_times(item) else item.nodeid.partition("::")[0]))
    if _NAME:
        items.sort(key=lambda item: not _keeps_times(item))


def _keeps_times(item: pytest.Item) -> bool:
    return any(folder in item.path.parents for folder in _KEEP_TIMES)
