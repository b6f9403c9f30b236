"""A decision step by step: which rules the device passed, which one stopped it, and what was compared.

Outcomes are not found anew: they follow from the reason that `decide` gives. This adds the values it compared.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from builds.formats import format_bytes, format_count
from deployments.policy.decision import decide, find_own_label
from deployments.policy.label import format_label
from deployments.policy.reasons import explain
from deployments.policy.rollout import BUCKETS, find_bucket, is_included
from deployments.policy.types import Candidate, Decision, Reason, Snapshot, UpdateQuery

_LISTED = 5
_HASH_DIGITS = 12


class Rule(StrEnum):
    """One question that `decide` asks, in the order in which it does."""

    REQUEST = "request"
    BUILD_IS_SUCCESSFUL = "build_is_successful"
    NO_FORCE_UPDATE = "no_force_update"
    UPDATE_IS_ENABLED = "update_is_enabled"
    BINARY_FITS = "binary_fits"
    ROLLOUT_INCLUDES = "rollout_includes"
    NOT_AHEAD = "not_ahead"
    OTHER_BUNDLE = "other_bundle"
    MANDATORY = "mandatory"


class Outcome(StrEnum):
    PASSED = "passed"
    STOPPED = "stopped"
    NOT_REACHED = "not_reached"


@dataclass(frozen=True, slots=True)
class Step:
    """One rule and what came of it for this device. `number`: as in docs/protocol.md, "What a device is offered"."""

    number: int
    rule: Rule
    title: str
    outcome: Outcome
    # The values compared, in words; "" when it was not reached.
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Considered:
    """A candidate whose rollout was looked at for this device."""

    label: str
    deployment_id: str
    rollout_percent: int
    # 0..9999; None for a device without a client id.
    bucket: int | None
    is_included: bool

    @property
    def place(self) -> float | None:
        """The bucket as a percentage, to be seen beside that of the rollout; None where no bucket was looked at."""
        return None if self.bucket is None or self.rollout_percent >= 100 else self.bucket * 100 / BUCKETS

    @property
    def detail(self) -> str:
        """As "bucket 4,711 of 10,000; 10% includes 0–999: outside"."""
        if self.rollout_percent >= 100:
            return "rolled out to 100%: every device is inside"
        if self.bucket is None:
            return f"rolled out to {self.rollout_percent}%: a device without a client id is outside"
        last = format_count(self.rollout_percent * BUCKETS // 100 - 1)
        place = "inside" if self.is_included else "outside"
        bucket = f"bucket {format_count(self.bucket)} of {format_count(BUCKETS)}"
        return f"{bucket}; {self.rollout_percent}% includes 0–{last}: {place}"


@dataclass(frozen=True, slots=True)
class Trace:
    """The answer to one update check, and the way to it."""

    decision: Decision
    sentence: str
    steps: tuple[Step, ...]
    # Newest first, down to the one that includes the device; empty when no rollout was looked at.
    considered: tuple[Considered, ...]
    # What the device runs, by its label or package hash: "" for nothing that the history knows.
    own_label: str


def trace_decision(snapshot: Snapshot, query: UpdateQuery) -> Trace:
    """What `decide` answers to this query, with every rule on the way. Pure and total, as `decide` is."""
    decision = decide(snapshot, query)
    case = _Case(snapshot, query, _list_considered(snapshot, query), find_own_label(snapshot, query))
    steps = _list_steps(case, decision)
    is_rollout_reached = any(s.rule == Rule.ROLLOUT_INCLUDES and s.outcome != Outcome.NOT_REACHED for s in steps)
    return Trace(
        decision=decision,
        sentence=explain(snapshot, query, decision),
        steps=steps,
        considered=case.considered if is_rollout_reached else (),
        own_label=format_label(case.own_number) if case.own_number else "",
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """What the rules compare, found by the functions that `decide` finds it by."""

    snapshot: Snapshot
    query: UpdateQuery
    considered: tuple[Considered, ...]
    # 0 for nothing that the history knows.
    own_number: int

    @property
    def candidate(self) -> Candidate:
        """Valid once rule 4 is passed: then the last one considered is the one that includes the device."""
        return self.snapshot.candidates[len(self.considered) - 1]


def _list_considered(snapshot: Snapshot, query: UpdateQuery) -> tuple[Considered, ...]:
    client, considered = query.client_unique_id, []
    for candidate in snapshot.candidates:
        identity, percent = candidate.deployment_id, candidate.rollout_percent
        is_inside = is_included(identity, client, percent)
        bucket = find_bucket(identity, client) if client else None
        considered.append(Considered(candidate.label, identity, percent, bucket, is_inside))
        if is_inside:
            break
    return tuple(considered)


def _list_steps(case: _Case, decision: Decision) -> tuple[Step, ...]:
    stopped_at = STOPPED_AT.get(decision.reason)
    outcome = Outcome.PASSED
    steps = []
    for rule, (number, title, describe) in _RULES.items():
        if outcome == Outcome.STOPPED:
            outcome = Outcome.NOT_REACHED
        if rule == stopped_at:
            outcome = Outcome.STOPPED
        detail = "" if outcome == Outcome.NOT_REACHED else describe(case)
        steps.append(Step(number, rule, title, outcome, detail))
    return tuple(steps)


def _describe_request(case: _Case) -> str:
    return f"The deployment key is this build's, and app_version {case.query.app_version} can be read."


def _describe_build(case: _Case) -> str:
    return "Its status is success." if case.snapshot.is_successful else "Its status is not success."


def _describe_force_update(case: _Case) -> str:
    if not case.snapshot.is_force_updated:
        return "It is not applied to this build."
    if case.snapshot.live_store_version:
        return f"It is applied. The build that is live in the store is {case.snapshot.live_store_version}."
    return "It is applied, but no build of this platform and target is live in the store."


def _describe_enabled(case: _Case) -> str:
    if case.snapshot.candidates:
        return f"The newest enabled success is {case.snapshot.candidates[0].label}."
    return (
        "Each successful update is disabled." if case.snapshot.newest_label else "The build has no successful update."
    )


def _describe_binary(case: _Case) -> str:
    sent, own = f"app_version {case.query.app_version}", f"the build's {case.snapshot.store_version}"
    if case.query.version == case.snapshot.version:
        return f"{sent} = {own}."
    if case.query.is_companion:
        return f"{sent} ≠ {own}, but the device asks to ignore that (is_companion)."
    return f"{sent} {'<' if case.query.version < case.snapshot.version else '>'} {own}."


def _describe_rollout(case: _Case) -> str:
    is_included = case.considered[-1].is_included
    oldest_offered = case.candidate.label_number if is_included else 0
    passed_over = sorted((n for n in case.snapshot.disabled_labels if n > oldest_offered), reverse=True)
    found = f"{case.candidate.label} is the newest enabled update that includes it."
    found = found if is_included else "No enabled update includes it."
    if not passed_over:
        return found
    listed = ", ".join(map(format_label, passed_over[:_LISTED]))
    rest = len(passed_over) - _LISTED
    return f"{found} Disabled, so passed over: {listed}{f' and {format_count(rest)} more' if rest > 0 else ''}."


def _describe_own(case: _Case) -> str:
    candidate, number = case.candidate, case.own_number
    how = _describe_how_found(case.query, number)
    if not number:
        return f"{how}: older than everything."
    if number < candidate.label_number:
        return f"{how}, older than {candidate.label}."
    if number == candidate.label_number:
        return f"{how}, the same."
    if number in case.snapshot.disabled_labels:
        return f"{how}, newer than {candidate.label} but disabled: it is taken back."
    return f"{how}, enabled and newer than {candidate.label}."


def _describe_how_found(query: UpdateQuery, number: int) -> str:
    own = format_label(number)
    if query.label:
        return f"By its label it runs {own}" if number else f"Its label {query.label} is not in the history"
    if query.package_hash:
        return f"By its package hash it runs {own}" if number else "Its package hash is not in the history"
    return "It sends neither label nor package hash"


def _describe_bundle(case: _Case) -> str:
    candidate, query = case.candidate, case.query
    offered, whole = candidate.package_hash, format_bytes(candidate.whole.size_bytes)
    if not query.package_hash:
        return f"It sends no package hash, so it downloads the whole bundle: {whole}."
    if query.package_hash == offered:
        return f"Its package hash {_shorten(offered)} = that of {candidate.label}."
    differs = f"Its package hash {_shorten(query.package_hash)} ≠ {_shorten(offered)} of {candidate.label}."
    if query.accepts_patches and (patch := candidate.patches.get(query.package_hash)):
        return f"{differs} A binary patch of it exists: {format_bytes(patch.size_bytes)} instead of {whole}."
    if diff := candidate.diffs.get(query.package_hash):
        return f"{differs} A diff from it exists: {format_bytes(diff.size_bytes)} instead of {whole}."
    return f"{differs} No diff from it exists, so it downloads the whole bundle: {whole}."


def _describe_mandatory(case: _Case) -> str:
    candidate, number = case.candidate, case.own_number
    if candidate.is_mandatory:
        return f"Mandatory: {candidate.label} is."
    if number < candidate.mandatory_label:
        return f"Mandatory: {format_label(candidate.mandatory_label)} is, an enabled update that it skips."
    return f"Not mandatory: neither {candidate.label} nor an enabled update that it skips is."


def _shorten(package_hash: str) -> str:
    return package_hash if len(package_hash) <= _HASH_DIGITS else f"{package_hash[:_HASH_DIGITS]}…"


# Where each refusal stops; an offer passes them all.
STOPPED_AT: Mapping[Reason, Rule] = {
    Reason.BUILD_NOT_SUCCESSFUL: Rule.BUILD_IS_SUCCESSFUL,
    Reason.FORCE_UPDATE: Rule.NO_FORCE_UPDATE,
    Reason.FORCE_UPDATE_WITHOUT_STORE_LIVE_BUILD: Rule.NO_FORCE_UPDATE,
    Reason.NOTHING_ENABLED: Rule.UPDATE_IS_ENABLED,
    Reason.BINARY_OLDER: Rule.BINARY_FITS,
    Reason.BINARY_NEWER: Rule.BINARY_FITS,
    Reason.OUTSIDE_ROLLOUT: Rule.ROLLOUT_INCLUDES,
    Reason.DEVICE_IS_AHEAD: Rule.NOT_AHEAD,
    Reason.UP_TO_DATE: Rule.OTHER_BUNDLE,
}

# (number in docs/protocol.md, what passes, what is compared); in the order of `decide`.
_RULES: Mapping[Rule, tuple[int, str, Callable[[_Case], str]]] = {
    Rule.REQUEST: (1, "The request names this build", _describe_request),
    Rule.BUILD_IS_SUCCESSFUL: (2, "The build is successful", _describe_build),
    Rule.NO_FORCE_UPDATE: (2, "Force Update is not applied", _describe_force_update),
    Rule.UPDATE_IS_ENABLED: (3, "An update is enabled", _describe_enabled),
    Rule.BINARY_FITS: (3, "The binary is the build's", _describe_binary),
    Rule.ROLLOUT_INCLUDES: (4, "A rollout includes the device", _describe_rollout),
    Rule.NOT_AHEAD: (5, "The device does not run something newer", _describe_own),
    Rule.OTHER_BUNDLE: (6, "The bundle is another than the device's", _describe_bundle),
    Rule.MANDATORY: (7, "Mandatory or not", _describe_mandatory),
}
