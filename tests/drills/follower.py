"""A receiver of webhooks, which is told of each label that becomes Live, and remembers what it got."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.drills.stage import Stage
from tests.webhooks.receiver import Receiver, listening

# `webhooks.deliveries.LEASE`, with its sweep: so long nobody else sends what a killed worker had.
_LEASE_SECONDS = 150.0
# Before each of the two bytes that it answers: workers that are killed are in the middle of deliveries.
_DELAY_SECONDS = 0.6


class Follower:
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def find_faults(self, labels: list[str], build_id: int) -> list[str]:
        """In words, once each label has been told of or that took too long."""
        deadline = time.monotonic() + _LEASE_SECONDS
        while (missing := [label for label in labels if not self._find_ids(label, build_id)]) and (
            time.monotonic() < deadline
        ):
            time.sleep(0.5)
        faults = [f"not told of {', '.join(missing)}"] if missing else []
        if several := [label for label in labels if len(self._find_ids(label, build_id)) > 1]:
            faults.append(f"told of {', '.join(several)} with several ids")
        by_id: dict[str, set[bytes]] = {}
        for got in list(self._receiver.got):
            by_id.setdefault(got.headers["webhook-id"], set()).add(got.body)
        if any(len(bodies) > 1 for bodies in by_id.values()):
            faults.append("one id with several messages")
        return faults

    def describe(self) -> str:
        """How many messages it got, and how many came again."""
        times = Counter(got.headers["webhook-id"] for got in self._receiver.got)
        return f"{len(times)}, {times.total() - len(times)} again"

    def _find_ids(self, label: str, build_id: int) -> set[str]:
        messages = [json.loads(got.body) for got in list(self._receiver.got)]
        return {
            message["id"]
            for message in messages
            if message["data"]["build"]["id"] == build_id and message["data"]["live"]["after"] == label
        }


@contextmanager
def following(stage: Stage) -> Iterator[Follower]:
    with listening() as receiver:
        receiver.delay = _DELAY_SECONDS
        webhook = stage.product.person("follow", url=receiver.url)
        yield Follower(receiver)
        stage.product.person("unfollow", webhook_id=webhook["id"])
