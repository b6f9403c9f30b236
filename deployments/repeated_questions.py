"""Answers to update checks that were asked before: devices of one kind ask alike, but for their own id.

A question is the query string without that id, and the address that the server is called by. `decide` looks at an id
only to find the first candidate whose rollout includes it. So a question has, for one snapshot, at most one answer per
candidate, and one for devices outside of all rollouts; each is made by `decide` for the first device that asks.
"""

from dataclasses import dataclass
from time import monotonic

from deployments import snapshots
from deployments.device_http import Answer
from deployments.policy.rollout import is_included
from deployments.policy.types import Snapshot

# Some 1 kB each: enough for two kinds of devices of each of the builds that snapshots are held of.
MAX_QUESTIONS = 20_000
_MAX_QUESTION_LENGTH = 500
# An answer may hold an address that is valid for a while (`bundle_storage.download_address`).
_REMEMBERED_SECONDS = 3600.0


@dataclass(slots=True)
class _Known:
    """Answers from one snapshot: with it they end."""

    held: snapshots.Held
    asked_at: float
    # By the place of the candidate that includes the device; a further one for devices outside of all rollouts.
    answers: tuple[Answer | None, ...]


class RepeatedQuestions:
    """Safe to use from many threads: each step is one operation on a dict, and an answer lost is made anew."""

    def __init__(self) -> None:
        # By the server's address, of which there are few, then by the query string.
        self._known: dict[str, dict[str, _Known]] = {}
        self._count = 0

    def find(self, base_url: str, prefix: str, client_unique_id: str) -> Answer | None:
        """What `decide` said to such a device, if the snapshot is still the one in service. No query, ever."""
        known = self._known.get(base_url, _NOTHING).get(prefix)
        if known is None or monotonic() - known.asked_at > _REMEMBERED_SECONDS or not _is_plain(client_unique_id):
            return None
        held = known.held
        snapshot = held.snapshot
        if snapshot is None:
            return None
        held.is_used = True
        # Without a rollout nobody needs to look at its candidates: with thousands of builds they are in no cache.
        place = _find_place(snapshot, client_unique_id) if len(known.answers) > 1 else 0
        return known.answers[place]

    def remember(self, base_url: str, prefix: str, client_unique_id: str, snapshot: Snapshot, answer: Answer) -> None:
        """`answer` is what `decide` said. The id is as sent, at the end of the query string; no other is in it."""
        held = snapshots.store.find_held(snapshot.deployment_key)
        if len(prefix) > _MAX_QUESTION_LENGTH or not _is_plain(client_unique_id):
            return
        if held is None or held.snapshot is not snapshot:
            # It went out of service meanwhile.
            return
        known = self._known.get(base_url, _NOTHING).get(prefix)
        if known is None or known.held is not held or monotonic() - known.asked_at > _REMEMBERED_SECONDS:
            known = _Known(held, monotonic(), (None,) * _count_places(snapshot))
            self._keep(base_url, prefix, known)
        place = _find_place(snapshot, client_unique_id)
        known.answers = tuple(answer if at == place else other for at, other in enumerate(known.answers))

    def forget(self) -> None:
        self._known, self._count = {}, 0

    def _keep(self, base_url: str, prefix: str, known: _Known) -> None:
        if self._count >= MAX_QUESTIONS:
            # Simpler than telling the old from the new, and seldom: what is still asked comes back at once.
            self.forget()
        by_prefix = self._known.setdefault(base_url, {})
        self._count += prefix not in by_prefix
        by_prefix[prefix] = known


_NOTHING: dict[str, _Known] = {}


def _is_plain(client_unique_id: str) -> bool:
    """Whether it means itself, and ends the query string."""
    return not ("&" in client_unique_id or "%" in client_unique_id or "+" in client_unique_id)


def _count_places(snapshot: Snapshot) -> int:
    is_any_outside = not snapshot.candidates or snapshot.candidates[-1].rollout_percent < 100
    return len(snapshot.candidates) + is_any_outside


def _find_place(snapshot: Snapshot, client_unique_id: str) -> int:
    place = 0
    for candidate in snapshot.candidates:
        if is_included(candidate.deployment_id, client_unique_id, candidate.rollout_percent):
            return place
        place += 1
    return place
