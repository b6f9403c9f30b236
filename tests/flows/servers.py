"""A PostgreSQL cluster and a Redis server of one's own, to be killed at any instant and started again."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from tests.flows.product import find_free_port, wait_for

_START_SECONDS = 20.0


class Server:
    """A server process. `url` is where clients reach it while it runs."""

    def __init__(self, command: list[str], url: str, is_up: Callable[[], bool], **process: Any) -> None:
        self.url = url
        self._command, self._is_up, self._process_options = command, is_up, process
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        wait_for(self._runs, f"{self._command[0]} answers", _START_SECONDS)

    def _runs(self) -> bool:
        # A cluster refuses to start while a killed one's last process is going away.
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._process_options
            )
        return self._is_up()

    def kill(self) -> None:
        """SIGKILL to the server and all its processes: none of them gets to write another byte."""
        if self._process is None:
            return
        for pid in (self._process.pid, *_list_children(self._process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None


@contextmanager
def own_postgresql() -> Iterator[Server]:
    """With the settings that it ships with, as far as durability goes."""
    initdb, postgres = _find_program("initdb"), _find_program("postgres")
    # It refuses to run as root.
    owner = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    # Not below pytest's folder, which other users cannot enter.
    folder = tempfile.mkdtemp(prefix="codepush-postgresql-")
    if owner:
        shutil.chown(folder, "postgres", "postgres")
    data, port = str(Path(folder) / "data"), find_free_port()
    options = ["--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
    subprocess.run([initdb, "-D", data, *options], check=True, capture_output=True, cwd=folder, **owner)  # type: ignore[call-overload]
    url = f"postgres://postgres@127.0.0.1:{port}/postgres"
    command = [postgres, "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder, "-c", "shared_buffers=16MB"]
    server = Server(command, url, lambda: _answers_sql(url), cwd=folder, **owner)
    yield from _running(server, folder)


@contextmanager
def own_redis() -> Iterator[Server]:
    """What it has answered is on disk."""
    program, port = _find_program("redis-server"), find_free_port()
    folder = tempfile.mkdtemp(prefix="codepush-redis-")
    url = f"redis://127.0.0.1:{port}/0"
    durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, *durable]
    yield from _running(Server(command, url, lambda: _answers_ping(url)), folder)


def _running(server: Server, folder: str) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)


def _find_program(name: str) -> str:
    """Debian keeps the programs of a cluster out of the path. Without it the test is skipped, but in CI."""
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None
    )
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {name}")
    return found


def _list_children(pid: int) -> list[int]:
    """Where the system tells; elsewhere a cluster's processes end by themselves when they notice."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def _answers_sql(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=1).close()
    except psycopg.OperationalError:
        return False
    return True


def _answers_ping(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
