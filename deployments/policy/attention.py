"""What people should look at: an update that fails on devices more than the one before, a rollout left half-way.

Thresholds are explained in docs/metrics.md. They are set so that few notes appear, and those that do are true.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from builds.formats import format_count, format_share

# Fewer outcomes than this say nothing about an update.
MIN_OUTCOMES = 100
# Fewer device rollbacks than this are chance, or a few broken phones.
MIN_ROLLBACKS = 10
# As many times more often than the previous update.
MIN_FACTOR = 3
# Of installs, where there is nothing to compare with.
MIN_PERCENT_ALONE = 5
# A rollout below 100 % that nobody touched for so long was probably forgotten.
STALLED_AFTER = timedelta(days=7)


class Outcomes(NamedTuple):
    """What became of an update on devices, up to some age of it: each device counts once in each number."""

    installs: int = 0
    rollbacks: int = 0

    @property
    def rate(self) -> str:
        """Device rollbacks of installs, in words: "0.37%"; "–" without installs."""
        return format_share(self.rollbacks, self.installs)

    @property
    def is_telling(self) -> bool:
        """Enough devices tried it to judge it."""
        return self.installs + self.rollbacks >= MIN_OUTCOMES


def may_be_rollback_outlier(current: Outcomes) -> bool:
    """Whether a comparison could make it one at all: where not, there is no need to read the previous update's."""
    return current.is_telling and current.rollbacks >= MIN_ROLLBACKS


def is_rollback_outlier(current: Outcomes, previous: Outcomes | None) -> bool:
    """Whether devices go back from an update conspicuously often.

    `previous`: of the update before it, at the age that the current one has now; None when there was none, or its
    history is gone. Too few outcomes of it are as none. A previous one without rollbacks counts as if it had one:
    otherwise any rollback would be infinitely more.
    """
    if not may_be_rollback_outlier(current):
        return False
    if previous is None or not previous.is_telling:
        return current.rollbacks * 100 >= MIN_PERCENT_ALONE * current.installs
    return current.rollbacks * previous.installs >= MIN_FACTOR * max(previous.rollbacks, 1) * current.installs


def was_rollback_outlier(outcomes: Outcomes, previous: Outcomes | None) -> bool:
    """Whether an update that was replaced long ago went back conspicuously often, over its whole life.

    Alone, or against the one before it: after a bad update an equally bad one is no better.
    """
    return is_rollback_outlier(outcomes, previous) or is_rollback_outlier(outcomes, None)


def describe_rollback_outlier(current: Outcomes, previous: Outcomes | None, previous_label: str) -> str:
    """The sentence about an outlier: "Rolls back 9 times more often than v6 did at the same age …"."""
    if not current.installs:
        return f"{format_count(current.rollbacks)} devices went back from it by themselves, and none installed it."
    if previous is None or not previous.is_telling:
        return (
            f"{format_count(current.rollbacks)} devices went back from it by themselves: {current.rate} of installs. "
            "There is no earlier update to compare it with."
        )
    rates = f"({current.rate} against {previous.rate} of installs)"
    if not previous.rollbacks or not previous.installs:
        return f"Rolls back more often than {previous_label} did at the same age {rates}."
    factor = current.rollbacks * previous.installs / (previous.rollbacks * current.installs)
    return (
        f"Rolls back {format_count(round(factor))} times more often than {previous_label} did at the same age {rates}."
    )


def name_update(sentence: str, label: str) -> str:
    """One of these sentences where no card says which update it is about: "v7 rolls back 9 times more often …"."""
    if sentence.startswith("Rolls "):
        return f"{label} rolls {sentence.removeprefix('Rolls ')}"
    return sentence.replace("Rollout has", f"Rollout of {label} has").replace(" from it by", f" from {label} by")


def judge_rollbacks(current: Outcomes, previous: Outcomes | None, previous_label: str) -> str:
    """What the comparison comes to, in a few words."""
    if is_rollback_outlier(current, previous):
        return "Unusually often"
    if not current.is_telling:
        return f"Fewer than {MIN_OUTCOMES} devices tried it"
    if previous is None or not previous.is_telling:
        return "Nothing to compare with"
    return f"In line with {previous_label}"


def is_stalled(*, rollout_percent: int, unchanged_since: datetime, now: datetime) -> bool:
    """Whether a rollout stands still below 100 %. `unchanged_since`: its release, or the last change of its rollout.

    Only of the Live one: what a newer update replaced is not meant to go on.
    """
    return rollout_percent < 100 and now - unchanged_since >= STALLED_AFTER


def describe_stalled(*, rollout_percent: int, unchanged_since: datetime, now: datetime) -> str:
    """As "Rollout has stood at 25% for 9 days."""
    return f"Rollout has stood at {rollout_percent}% for {(now - unchanged_since).days} days."
