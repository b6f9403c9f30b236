"""The product on servers of its own, with a supervisor that starts again what dies, as Docker or systemd does."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.drills.false_clock import FalseClock
from tests.drills.storage import FaultyStorage, describe
from tests.drills.witness import START
from tests.flows.product import ROOT, Product, kill_group, wait_for
from tests.flows.servers import Server, own_postgresql, own_redis

PROCESSES = ("web", "worker", "numbers", "hooks", "beat")
SAMPLES = Path(__file__).parent.parent / "samples"


class Supervisor:
    """Keeps the processes of a product running. What it was not told to stop it starts again at once."""

    def __init__(self, product: Product, names: tuple[str, ...]) -> None:
        self._stack = ExitStack()
        # A name is one of the Procfile; an older version may have fewer.
        self._products = {name: product for name in names if name in product.processes}
        self._running = {name: self._start(name) for name in self._products}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        return self._stack.enter_context(self._products[name].running(name))

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            for name, process in [*self._running.items()]:
                if process.poll() is not None:
                    self._running[name] = self._start(name)

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def kill(self, name: str) -> None:
        """SIGKILL to the process and all its children."""
        kill_group(self._running[name])

    def hand_over(self, name: str, newer: Product) -> None:
        """As a deployment does: the process of that version runs, then the one before it is asked to end, and ends."""
        old, listening = self._running.get(name), newer.count_listening()
        self._products[name] = newer
        self._running[name] = self._start(name)
        if name == "web":
            all_of_it = listening + int(newer.environment["WEB_CONCURRENCY"])
            wait_for(lambda: newer.count_listening() >= all_of_it, "the new web processes listen", 30)
        if old is not None:
            with suppress(ProcessLookupError):
                os.killpg(old.pid, signal.SIGTERM)
            old.wait(30)

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        self._stack.close()


@dataclass(frozen=True)
class Stage:
    product: Product
    supervisor: Supervisor
    database: Server
    redis: Server
    folder: Path
    token: str
    # A connection for each request: every web process is asked, and a dead one breaks nothing else.
    client: httpx.Client
    # Of the stage with S3 only.
    storage: FaultyStorage | None = None
    # Of the stage with a false clock only.
    clock: FalseClock | None = None
    # What is deployed in the middle; the stage with an older version only.
    newer: Product | None = None

    @property
    def url(self) -> str:
        return self.product.url

    def call(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """One call of the release API, over a connection of its own."""
        headers = {"Authorization": f"Bearer {self.token}", **sent.pop("headers", {})}
        return self.client.request(method, f"{self.url}/api/v1{path}", headers=headers, **sent)

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database.url, connect_timeout=2) as connection:
            return connection.execute(sql, values).fetchall()

    def administer(self, sql: str) -> None:
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            connection.execute(sql)


@contextmanager
def make_stage(
    folder: Path, *, storage: FaultyStorage | None = None, clock: FalseClock | None = None, root: Path = ROOT
) -> Iterator[Stage]:
    """Two web processes, workers and beat, on PostgreSQL and a Redis that keeps what it answered.

    `root`: the code that runs, when it is of an older version.
    """
    folder.mkdir(parents=True, exist_ok=True)
    environment = (describe(storage) if storage else {}) | (clock.environment if clock else {})
    # Receivers are on loopback.
    environment["WEBHOOKS_TO_PRIVATE_ADDRESSES"] = "1"
    if clock:
        clock.set(0)
    with own_postgresql() as database, own_redis() as broker:
        environment |= {"DATABASE_URL": database.url, "REDIS_URL": broker.url}
        product = Product(folder, environment, root=root)
        newer = Product(folder, environment, port=product.port) if root != ROOT else None
        product.prepare()
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(START)
        product.person("make_build")
        token = product.manage("create_token", "--user", "rosa", "--role", "admin").strip()
        supervisor = Supervisor(product, PROCESSES)
        try:
            product.wait_until_it_answers()
            with httpx.Client(verify=False, timeout=10, limits=httpx.Limits(max_keepalive_connections=0)) as client:
                yield Stage(product, supervisor, database, broker, folder, token, client, storage, clock, newer)
        finally:
            supervisor.stop()
