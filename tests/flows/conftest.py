"""Real processes on the embedded defaults; on scratch databases where DATABASE_URL and REDIS_URL are set."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
from psycopg import sql

from tests.flows.product import Product

_SCRATCH_REDIS_DATABASES = range(8, 16)
_LOCK = "codepush-flows-lock"


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """An installation with its web process (two workers of the server). All flows share it; each has its own build."""
    with scratch_database() as database, scratch_redis() as broker:
        product = Product(tmp_path_factory.mktemp("product"), database | broker)
        product.prepare()
        with product.running("web"):
            product.wait_until_it_answers()
            yield product


@pytest.fixture
def worker(product: Product) -> Iterator[subprocess.Popen[bytes]]:
    with product.running("worker") as process:
        yield process


@pytest.fixture
def numbers(product: Product) -> Iterator[subprocess.Popen[bytes]]:
    """The process that applies reports and sweeps for lost work, when beat tells it to."""
    with product.running("numbers") as process:
        yield process


@pytest.fixture
def beat(product: Product) -> Iterator[subprocess.Popen[bytes]]:
    with product.running("beat") as process:
        yield process


@pytest.fixture
def phone(tmp_path: Path) -> Path:
    """The storage of one phone."""
    folder = tmp_path / "phone"
    folder.mkdir()
    return folder


@contextmanager
def scratch_database() -> Iterator[dict[str, str]]:
    url = os.environ.get("DATABASE_URL")
    if not url:
        yield {}
        return
    parts = urlsplit(url)
    # Another one at each call: some flows have a product of their own beside the one that all share.
    name = f"codepush_flows_{os.getpid()}_{token_hex(3)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield {"DATABASE_URL": urlunsplit(parts._replace(path=f"/{name}"))}
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def scratch_redis() -> Iterator[dict[str, str]]:
    url = os.environ.get("REDIS_URL")
    if not url:
        yield {}
        return
    parts = urlsplit(url)
    for number in _SCRATCH_REDIS_DATABASES:
        scratch_url = urlunsplit(parts._replace(path=f"/{number}"))
        with redis.Redis.from_url(scratch_url) as client:
            # Two runs on one server must not take each other's messages.
            if not client.set(_LOCK, os.getpid(), nx=True, ex=600):
                continue
            try:
                _forget_messages(client)
                yield {"REDIS_URL": scratch_url}
            finally:
                _forget_messages(client)
                client.delete(_LOCK)
            return
    pytest.fail("Every scratch database of this Redis is taken by another run of the flows.")


def _forget_messages(client: redis.Redis) -> None:
    for key in client.scan_iter("codepush:*"):
        client.delete(key)
