"""What goes wrong in each drill. Each fault begins, goes on, and ends inside `with`; nobody helps afterwards."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from tests.drills.stage import Stage
from tests.flows.product import ROOT, kill_group
from tests.flows.servers import _list_children

# How long a fault goes on.
_SECONDS = 2.0
_CLAIMS = "SELECT claim_id FROM webhooks_delivery WHERE status = 'waiting' AND claim_id IS NOT NULL"
Fault = Callable[[Stage], AbstractContextManager[None]]


@dataclass(frozen=True)
class Drill:
    name: str
    must_hold: str
    fault: Fault
    # In the suite; the others by `make drills` only.
    is_quick: bool = False
    # Reports that waited in Redis when the drill emptied it are gone: they are counted before, and may be lost.
    empties_redis: bool = False
    # What it takes: a disk that can be filled.
    needs_small_disk: bool = False
    # Somebody is told of each label, by a webhook.
    has_follower: bool = False


def _kill(*names: str) -> Fault:
    @contextmanager
    def fault(stage: Stage) -> Iterator[None]:
        for _ in range(3):
            for name in names:
                stage.supervisor.kill(name)
            time.sleep(1)
        yield

    return fault


@contextmanager
def kill_hooks_at_work(stage: Stage) -> Iterator[None]:
    """Each time a delivery that it has claimed, and the receiver perhaps got, is left in the middle."""
    known: set[object] = set()
    for _ in range(3):
        while not (claims := {row[0] for row in stage.query(_CLAIMS)} - known):
            time.sleep(0.05)
        # By now it was sent; the receiver takes longer to answer.
        time.sleep(0.6)
        stage.supervisor.kill("hooks")
        known |= claims
    yield


@contextmanager
def kill_a_web_worker(stage: Stage) -> Iterator[None]:
    """One of the two processes under granian, as the kernel does when memory is short."""
    os.kill(_list_children(stage.supervisor.pid("web"))[-1], signal.SIGKILL)
    time.sleep(_SECONDS)
    yield


@contextmanager
def stop_redis(stage: Stage) -> Iterator[None]:
    stage.redis.kill()
    time.sleep(_SECONDS)
    stage.redis.start()
    yield


@contextmanager
def empty_redis(stage: Stage) -> Iterator[None]:
    """It stops, and another without any data takes its place."""
    with redis.Redis.from_url(stage.redis.url) as client:
        client.config_set("appendonly", "no")
        client.flushall()
    stage.redis.kill()
    time.sleep(_SECONDS)
    stage.redis.start()
    with redis.Redis.from_url(stage.redis.url) as client:
        client.flushall()
    yield


@contextmanager
def restart_database(stage: Stage) -> Iterator[None]:
    stage.database.kill()
    time.sleep(_SECONDS)
    stage.database.start()
    yield


@contextmanager
def read_only(stage: Stage) -> Iterator[None]:
    """As a standby that was not promoted, or a disk that the administrator protects."""
    stage.administer("ALTER SYSTEM SET default_transaction_read_only = on")
    stage.administer("SELECT pg_reload_conf()")
    time.sleep(_SECONDS)
    with psycopg.connect(stage.database.url, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
        connection.execute("SELECT pg_reload_conf()")
    yield


@contextmanager
def take_all_connections(stage: Stage) -> Iterator[None]:
    """Those of the product are ended, and others take every place before it can come back."""
    taken: list[psycopg.Connection[tuple[object, ...]]] = []
    end = time.monotonic() + _SECONDS
    stage.administer("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    while time.monotonic() < end:
        with suppress(psycopg.OperationalError):
            taken.append(psycopg.connect(stage.database.url, connect_timeout=1))
            continue
        time.sleep(0.02)
    for connection in taken:
        connection.close()
    yield


@contextmanager
def run_second_beat(stage: Stage) -> Iterator[None]:
    """On another host: with a schedule file of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = stage.product.environment | {"VAR_DIR": folder}
        command = f"exec {environment['PYTHON']} -m celery --quiet --app codepush_site beat --pidfile="
        beat = subprocess.Popen(
            ["/bin/sh", "-c", command], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(_SECONDS * 3)
        assert beat.poll() is None, "the second beat did not run"
        kill_group(beat)
    yield


@contextmanager
def deploy(stage: Stage) -> Iterator[None]:
    """Of this version, over an older one: `release` under its processes, which go on; then one by one is replaced.

    Workers before `web`: they must know the work that it queues.
    """
    assert stage.newer is not None
    stage.newer.prepare()
    time.sleep(_SECONDS)
    for name in ("worker", "numbers", "hooks", "beat", "web"):
        stage.supervisor.hand_over(name, stage.newer)
    yield


@contextmanager
def fill_disk(stage: Stage) -> Iterator[None]:
    """Of the bundles: a file system of its own (`storage_on_small_disk`), with not a byte left."""
    filling = stage.folder / "bundles" / "filling"
    with filling.open("wb") as file, suppress(OSError):
        while True:
            file.write(b"x" * 65536)
            file.flush()
    time.sleep(_SECONDS)
    filling.unlink()
    yield


@contextmanager
def storage_on_small_disk(folder: Path) -> Iterator[None]:
    """Needs root: `folder` is a file system of 32 MB inside."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def storage(trouble: str) -> Fault:
    @contextmanager
    def fault(stage: Stage) -> Iterator[None]:
        assert stage.storage is not None
        with stage.storage.in_trouble(trouble, lambda: time.sleep(_SECONDS)):
            yield

    return fault


def set_clock(seconds: int) -> Fault:
    """Of all processes of the product, while they run; then it is set right again. Databases are other hosts."""

    @contextmanager
    def fault(stage: Stage) -> Iterator[None]:
        assert stage.clock is not None
        with stage.clock.wrong_by(seconds):
            time.sleep(_SECONDS * 3)
        yield

    return fault


_NOTHING = "devices and receivers notice nothing"
CLOCK_DRILLS = (
    Drill("clock 25 hours ahead for 6 s", _NOTHING, set_clock(25 * 3600), is_quick=True, has_follower=True),
    Drill("clock an hour behind for 6 s", _NOTHING, set_clock(-3600), is_quick=True, has_follower=True),
)
S3_DRILLS = (
    Drill("S3 answers 500 for 2 s", "devices notice nothing", storage("500")),
    Drill("S3 answers nothing for 2 s", "devices notice nothing", storage("silent")),
)
DRILLS = (
    Drill("web: kill -9, three times", "only open connections break", _kill("web"), is_quick=True),
    Drill("one web worker: kill -9", "it is replaced; the other one answers", kill_a_web_worker),
    Drill("worker and beat: kill -9, three times", "devices notice nothing", _kill("worker", "beat"), is_quick=True),
    Drill(
        "hooks: kill -9, three times while it sends",
        "no message lost; one that comes again has its id",
        kill_hooks_at_work,
        has_follower=True,
    ),
    Drill("Redis stopped for 2 s", "reports go to the database", stop_redis),
    Drill("Redis comes back empty", "lost: what it held, at most", empty_redis, is_quick=True, empties_redis=True),
    Drill("PostgreSQL: kill -9, back after 2 s", "checks go on", restart_database, is_quick=True),
    Drill("PostgreSQL read-only for 2 s", "checks and reports go on", read_only, is_quick=True),
    Drill("PostgreSQL out of connections for 2 s", "checks and reports go on", take_all_connections, is_quick=True),
    Drill("two beats", "nothing is done twice", run_second_beat),
    Drill("disk of bundles full for 2 s", "uploads are refused in words", fill_disk, needs_small_disk=True),
)
DEPLOYMENT_DRILLS = (
    Drill("deployment of a new version", "devices and the pipeline notice nothing", deploy, is_quick=True),
)
