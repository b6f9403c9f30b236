"""Phones and a release manager that go on whatever happens, and remember what they were told."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.drills.stage import SAMPLES, Stage
from tests.flows.test_servers_killed import report_until_told

_DEVICE_API = "/api/v0.1/public/codepush"
_CHECKERS, _REPORTERS = 2, 2


@dataclass(frozen=True)
class Offer:
    sent: float
    received: float
    label: str
    package_hash: str


class Load:
    """Of one build, which has v1. Devices report on v1; the release manager uploads, and promotes v1 in between."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._stop = stage, threading.Event()
        body = {"platform": "android", "build_target": "production", "store_version": "3.0.0", "status": "success"}
        build = stage.call("POST", "/projects/flows/builds", json=body).raise_for_status().json()
        self.build_id, self.key = build["id"], build["deployment_key"]
        self.first_id = self.upload("android-v1.zip")
        self.wait_until_offered(self.first_id, 30)
        self.checks: Counter[str] = Counter()
        self.offers: list[Offer] = []
        # Deployment ids of releases that were answered with 2xx.
        self.released: list[str] = [self.first_id]
        self._pool = ThreadPoolExecutor(_CHECKERS + _REPORTERS + 1)
        self._checking = [self._pool.submit(self._check) for _ in range(_CHECKERS)]
        self._reporting = [
            self._pool.submit(report_until_told, stage.url, self.key, number, self._stop)
            for number in range(_REPORTERS)
        ]
        self._releasing: Future[None] = self._pool.submit(self._release)

    def stop(self) -> Counter[str]:
        """What the reporters saw (`report_until_told`)."""
        self._stop.set()
        for checking in self._checking:
            checking.result(60)
        self._releasing.result(60)
        seen = sum((reporting.result(60) for reporting in self._reporting), Counter[str]())
        self._pool.shutdown()
        return seen

    def upload(self, sample: str = "android-v2.zip") -> str:
        archive = (SAMPLES / sample).read_bytes()
        return self._insist(
            f"/builds/{self.build_id}/codepushes", files={"bundle": archive}, data={"allows_identical": "true"}
        )

    def _insist(self, path: str, **sent: Any) -> str:
        """As a pipeline does: the same key until it is answered. The deployment id; "" where v1 is Live already."""
        headers = {"Idempotency-Key": uuid4().hex}
        while True:
            try:
                answer = self._stage.call("POST", path, headers=headers, **sent)
                if answer.is_success:
                    return str(answer.json()["deployment_id"])
                assert answer.status_code in (409, 503), f"{answer.status_code} {answer.text}"
                if answer.status_code == 409 and "cannot be stored" not in answer.text:
                    return ""
                if answer.status_code == 409:
                    # A refusal is the answer to its key for a day; it says that nothing has changed.
                    headers = {"Idempotency-Key": uuid4().hex}
            except httpx.HTTPError:
                pass
            time.sleep(0.1)

    def wait_until_offered(self, deployment_id: str, seconds: float) -> float:
        """Until a fresh device is offered it, or what was released after it; on ten connections in a row."""
        started = time.monotonic()
        while True:
            assert time.monotonic() - started < seconds, f"{deployment_id} is not offered within {seconds} s"
            try:
                number = (self._stage.call("GET", f"/codepushes/{deployment_id}").json().get("label") or "")[1:]
                offered = [self._ask().label[1:] for _ in range(10)] if number else [""]
                if number and all(label and int(label) >= int(number) for label in offered):
                    return time.monotonic() - started
            except (httpx.HTTPError, ValueError):
                pass
            time.sleep(0.05)

    def _ask(self) -> Offer:
        query = {"deployment_key": self.key, "app_version": "3.0.0", "client_unique_id": "phone"}
        sent = time.time()
        answer = self._stage.client.get(f"{self._stage.url}{_DEVICE_API}/update_check", params=query)
        answer.raise_for_status()
        info = answer.json()["update_info"]
        return Offer(sent, time.time(), info["label"], info["package_hash"])

    def _check(self) -> None:
        while not self._stop.is_set():
            try:
                self.offers.append(self._ask())
                self.checks["answered"] += 1
            except httpx.HTTPStatusError as refusal:
                self.checks[str(refusal.response.status_code)] += 1
            except httpx.TransportError:
                self.checks["lost"] += 1
            time.sleep(0.005)

    def _release(self) -> None:
        acts: tuple[Callable[[], str], ...] = (
            self.upload,
            lambda: self._insist(f"/codepushes/{self.first_id}/promote", json={}),
        )
        for act in itertools.cycle(acts):
            if self._stop.is_set():
                return
            if released := act():
                self.released.append(released)
            self._stop.wait(0.5)
