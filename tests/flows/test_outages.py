"""What phones get while the database or Redis is slow or gone, from real web processes. Needs PostgreSQL."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest

from tests.flows.conftest import scratch_database, scratch_redis
from tests.flows.faulty_proxy import FaultyProxy
from tests.flows.product import Product, wait_for

pytestmark = pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="An embedded database is never away.")

_DEVICE_API = "/api/v0.1/public/codepush"


class Site:
    """A product whose web processes reach database and Redis through relays; the person is not affected by faults."""

    def __init__(self, folder: Path, urls: dict[str, str]) -> None:
        self._near = urls
        self.relays = {name: _make_relay(url) for name, url in urls.items()}
        through = {name: _at_port(url, self.relays[name].port) for name, url in urls.items()}
        self.product = Product(folder, through)
        self.database = self.relays["DATABASE_URL"]

    def make_build(self) -> dict[str, str]:
        """With v1 and v2, known to the web processes."""
        build = self.person("make_build")
        for sample in ("android-v1.zip", "android-v2.zip"):
            self.person("publish", build_id=build["id"], sample=sample)
        self.product.wait_for_label(build["key"], "v2", 5)
        for _ in range(40):
            self.check(build["key"])
        return build

    def person(self, action: str, **values: object) -> dict[str, str]:
        return self.product.person(action, environment=self._near, **values)

    def check(self, key: str) -> httpx.Response:
        # Without keep-alive, so that every web process is asked.
        query = {"deployment_key": key, "app_version": "3.0.0", "client_unique_id": "phone"}
        return httpx.get(f"{self.product.url}{_DEVICE_API}/update_check", params=query, timeout=30)

    def label(self, key: str) -> str:
        answer = self.check(key)
        return str(answer.json()["update_info"]["label"]) if answer.status_code == 200 else str(answer.status_code)

    def report(self, key: str) -> int:
        body = {"deployment_key": key, "app_version": "3.0.0", "client_unique_id": "phone"}
        return httpx.post(f"{self.product.url}{_DEVICE_API}/report_status/deploy", json=body, timeout=30).status_code

    def readiness(self) -> dict[str, str]:
        parts: dict[str, str] = httpx.get(f"{self.product.url}/readyz", timeout=30).json()["parts"]
        return parts


def _make_relay(url: str) -> FaultyProxy:
    parts = urlsplit(url)
    return FaultyProxy(parts.hostname or "127.0.0.1", parts.port or (5432 if parts.scheme == "postgres" else 6379))


def _at_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    user = f"{parts.username}{f':{parts.password}' if parts.password else ''}@" if parts.username else ""
    return urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{port}"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with scratch_database() as database, scratch_redis() as broker:
        site = Site(tmp_path_factory.mktemp("site"), database | broker)
        site.product.prepare()
        yield site


@pytest.fixture
def web(site: Site) -> Iterator[Site]:
    with site.product.running("web"):
        site.product.wait_until_it_answers()
        yield site


def test_while_the_database_is_away_warm_builds_are_answered_and_cold_ones_told_to_come_back(web: Site) -> None:
    build, cold = web.make_build(), web.person("make_build")
    web.database.go_away()
    try:
        time.sleep(1)
        assert {web.label(build["key"]) for _ in range(20)} == {"v2"}
        answer = web.check(cold["key"])
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert web.report(build["key"]) == (200 if "REDIS_URL" in os.environ else 503)
        assert web.readiness()["database"].startswith("failed")
        wait_for(lambda: web.readiness()["snapshots"].startswith("stale"), "the age of answers shows", 30)
        web.person("roll_back", build_id=build["id"], to_label="v1")
    finally:
        web.database.come_back()
    wait_for(lambda: {web.label(build["key"]) for _ in range(10)} == {"v3"}, "all see what happened meanwhile", 5)
    assert web.label(cold["key"]) == ""
    wait_for(lambda: {*web.readiness().values()} == {"ok"}, "all is well again", 5)


def test_a_web_process_that_starts_without_database_answers_what_was_known_on_its_host(site: Site) -> None:
    with site.product.running("web"):
        site.product.wait_until_it_answers()
        build = site.make_build()
        time.sleep(0.5)
    site.database.go_away()
    with site.product.running("web"):
        try:
            site.product.wait_until_it_answers()
            assert {site.label(build["key"]) for _ in range(20)} == {"v2"}
            site.person("roll_back", build_id=build["id"], to_label="v1")
        finally:
            site.database.come_back()
        wait_for(lambda: {site.label(build["key"]) for _ in range(10)} == {"v3"}, "the database is believed", 5)


def test_a_slow_database_slows_no_warm_check(web: Site) -> None:
    build = web.make_build()
    web.database.delay_seconds = 2.0
    try:
        web.person("roll_back", build_id=build["id"], to_label="v1")
        seconds = []
        end = time.monotonic() + 6
        while time.monotonic() < end:
            start = time.monotonic()
            assert web.label(build["key"]) in {"v2", "v3"}
            seconds.append(time.monotonic() - start)
        assert max(seconds) < 0.5
        wait_for(lambda: {web.label(build["key"]) for _ in range(10)} == {"v3"}, "the change arrives all the same", 20)
    finally:
        web.database.delay_seconds = 0.0


@pytest.mark.skipif("REDIS_URL" not in os.environ, reason="There is no Redis.")
def test_without_redis_devices_notice_nothing(web: Site) -> None:
    build = web.make_build()
    web.relays["REDIS_URL"].go_away()
    try:
        web.person("roll_back", build_id=build["id"], to_label="v1")
        wait_for(lambda: {web.label(build["key"]) for _ in range(10)} == {"v3"}, "polling is enough", 2)
        assert web.report(build["key"]) == 200
    finally:
        web.relays["REDIS_URL"].come_back()
