"""What a drill came to: what was answered against what the database holds when everything has settled."""

import itertools
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.drills.follower import Follower
from tests.drills.load import Load, Offer
from tests.drills.stage import Stage
from tests.drills.witness import LABELS

# How old an answer may be while nothing is wrong; and for how long a promised label may already be offered.
_FRESH_SECONDS, _CLOCKS_DIFFER_SECONDS = 1.5, 0.2
_SETTLE_SECONDS = 60.0
_COUNTS = """
    SELECT coalesce(max(devices), 0), coalesce(max(downloads), 0), coalesce(max(installs), 0)
    FROM metrics_buildtotals t LEFT JOIN metrics_releasecounter c ON c.build_id = t.build_id AND label_number = 1
    WHERE t.build_id = %s
"""
_UNFINISHED = "SELECT count(*) FROM deployments_codepush WHERE build_id = %s AND status IN ('pending', 'processing')"


@dataclass(frozen=True)
class Row:
    """One line of the table. `faults`: in words, what did not hold."""

    drill: str
    must_hold: str
    checks: Counter[str]
    wrong_offers: int
    devices: int
    counted: int
    released: int
    labels: int
    messages: str
    recovery_seconds: float
    faults: list[str]

    @property
    def cells(self) -> tuple[str, ...]:
        others = ", ".join(f"{count} {kind}" for kind, count in sorted(self.checks.items()) if kind != "answered")
        return (
            self.drill,
            self.must_hold,
            f"{self.checks['answered']:,}{f' ({others})' if others else ''}",
            str(self.wrong_offers),
            f"{self.devices:,} / {self.counted:,}",
            f"{self.released} / {self.labels}",
            self.messages,
            f"{self.recovery_seconds:.1f} s",
            "; ".join(self.faults) or "held",
        )


HEADER = (
    "drill",
    "must hold, beside the rules above",
    "checks answered",
    "wrong offers",
    "devices told 200 / counted",
    "releases told 2xx / labels",
    "messages to a webhook",
    "recovered in",
    "verdict",
)


def judge(
    stage: Stage,
    load: Load,
    told: dict[str, Any],
    seen: Counter[str],
    excused: tuple[float, float],
    may_lose: int,
    follower: Follower | None,
) -> Row:
    """`excused`: from the fault until everything worked again: then an answer may be as old as the fault.

    `may_lose`: devices whose reports waited in what the drill destroyed.
    """
    counted = _settle(stage, load, seen["devices"])
    labels = stage.query(LABELS, load.build_id)
    wrong = [offer for offer in load.offers if _is_wrong(offer, labels, excused)]
    faults = [f"{len(wrong)} wrong offers, as {wrong[0]}"] if wrong else []
    if [number for number, *_ in labels] != list(range(1, len(labels) + 1)):
        faults.append(f"labels are {[number for number, *_ in labels]}")
    if lost := {*load.released} - {deployment_id for _, _, deployment_id, _ in labels}:
        faults.append(f"releases lost: {sorted(lost)}")
    if len(load.released) != len({*load.released}):
        faults.append("a release was told twice")
    if len(labels) != len(load.released):
        faults.append(f"{len(labels)} labels for {len(load.released)} releases")
    if not seen["devices"] - may_lose <= min(counted) <= max(counted) <= seen["devices"]:
        faults.append(f"devices, downloads, installs are {counted}")
    if follower is not None:
        faults += follower.find_faults([f"v{number}" for number, *_ in labels], load.build_id)
    return Row(
        checks=load.checks,
        wrong_offers=len(wrong),
        devices=seen["devices"],
        counted=min(counted),
        released=len(load.released),
        labels=len(labels),
        messages=follower.describe() if follower else "–",
        faults=faults + _find_too_few(load, seen),
        **told,
    )


def _find_too_few(load: Load, seen: Counter[str]) -> list[str]:
    """A drill in which little happened proves little."""
    happened = {"checks": load.checks["answered"], "devices": seen["devices"], "releases": len(load.released)}
    least = {"checks": 100, "devices": 20, "releases": 4}
    return [f"only {count} {name}" for name, count in happened.items() if count < least[name]]


def _settle(stage: Stage, load: Load, devices: int) -> tuple[int, ...]:
    """What is counted once nothing is on its way any more, or once that took too long."""
    deadline, before = time.monotonic() + _SETTLE_SECONDS, (-1,)
    for rounds in itertools.count():
        counted = tuple(stage.query(_COUNTS, load.build_id)[0] if stage.query(_COUNTS, load.build_id) else (0, 0, 0))
        unfinished = stage.query(_UNFINISHED, load.build_id)[0][0]
        is_still = rounds > 1 and counted == before and time.monotonic() > deadline - _SETTLE_SECONDS + 8
        if (unfinished == 0 and (counted == (devices,) * 3 or is_still)) or time.monotonic() > deadline:
            return counted
        before = counted
        time.sleep(0.5)
    raise AssertionError


def _is_wrong(offer: Offer, labels: list[tuple[Any, ...]], excused: tuple[float, float]) -> bool:
    """A label that was none yet, or with another content; or one that others had replaced, with no excuse."""
    number = int(offer.label[1:] or 0)
    known = {each: (live_at, package_hash) for each, live_at, _, package_hash in labels}
    if number not in known or known[number][1] != offer.package_hash:
        return True
    if known[number][0] > offer.received + _CLOCKS_DIFFER_SECONDS:
        return True
    replaced_at = min((live_at for each, (live_at, _) in known.items() if each > number), default=offer.sent)
    is_excused = excused[0] <= offer.sent <= excused[1] + _FRESH_SECONDS
    return replaced_at < offer.sent - _FRESH_SECONDS and not is_excused
