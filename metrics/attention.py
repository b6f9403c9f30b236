"""Which Live updates people should look at: `deployments.policy.attention` decides, the numbers are read here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Max, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from builds.models import AuditAction, AuditEntry
from deployments.models import CodePush
from deployments.policy.attention import (
    Outcomes,
    describe_rollback_outlier,
    describe_stalled,
    is_rollback_outlier,
    is_stalled,
    may_be_rollback_outlier,
)
from deployments.policy.label import format_label
from metrics.counters import start_of_hour
from metrics.history import DAY, HOUR
from metrics.models import ReleaseCounter, ReleaseHour
from metrics.rollup import find_oldest_day, find_oldest_hour, start_of_day

# (build id, label number)
_Release = tuple[int, int]


class Comparison(NamedTuple):
    """The update before one, as it was at the age that this one has now: in whole hours, or whole days (`step`)."""

    label: str
    outcomes: Outcomes
    step: timedelta


@dataclass(frozen=True)
class Attention:
    """Why an update needs a look: devices go back from it (`is_outlier`), or its rollout stands still."""

    sentence: str
    is_outlier: bool


def find_attention(live: Iterable[CodePush], outcomes: Mapping[int, Outcomes] | None = None) -> dict[int, Attention]:
    """{CodePush id: what to look at}, those that are fine left out. `live`: what is Live, on any number of builds.

    One reason each; failing devices come before a rollout that nobody finishes. At most four queries; one less with
    the `outcomes` of all, by CodePush id.
    """
    codepushes = {codepush.pk: codepush for codepush in live}
    now = timezone.now()
    found = {
        pk: Attention(
            describe_stalled(rollout_percent=codepushes[pk].rollout_percent, unchanged_since=since, now=now), False
        )
        for pk, since in _find_stalled(codepushes, now).items()
    }
    outcomes = read_outcomes(codepushes.values()) if outcomes is None else outcomes
    suspects = {pk: out for pk, out in outcomes.items() if may_be_rollback_outlier(out)}
    compared = compare_with_previous([codepushes[pk] for pk in suspects], now)
    for pk, current in suspects.items():
        previous = compared.get(pk)
        if is_rollback_outlier(current, previous and previous.outcomes):
            found[pk] = Attention(describe_comparison(current, previous), True)
    return found


def describe_comparison(current: Outcomes, previous: Comparison | None) -> str:
    """The sentence about an outlier."""
    label, outcomes = (previous.label, previous.outcomes) if previous else ("", None)
    return describe_rollback_outlier(current, outcomes, label)


def compare_with_previous(codepushes: Iterable[CodePush], now: datetime) -> dict[int, Comparison]:
    """{CodePush id: the update before it at the same age}, left out where there is none or its history is gone.

    At most two queries. Ages are counted in whole hours while the history of the previous one is, else in whole days.
    """
    successes = {codepush.pk: codepush for codepush in codepushes}
    if not successes:
        return {}
    windows: dict[int, tuple[_Release, datetime, datetime, timedelta]] = {}
    for pk, released_at in _find_previous_releases(successes):
        codepush = successes[pk]
        build_id, number = _release_of(codepush)
        step = HOUR if start_of_hour(released_at) >= find_oldest_hour(now) else DAY
        start_of = start_of_hour if step == HOUR else start_of_day
        since = start_of(released_at)
        if since >= find_oldest_day(now):
            # Both begin in the middle of a step, and the present one of both counts.
            until = since + (start_of(now) - start_of(_released_at(codepush))) + step
            windows[pk] = ((build_id, number - 1), since, until, step)
    sums = _sum_windows({release: (since, until) for release, since, until, _ in windows.values()})
    return {
        pk: Comparison(format_label(release[1]), sums.get(release, Outcomes()), step)
        for pk, (release, _, _, step) in windows.items()
    }


def read_outcomes(codepushes: Iterable[CodePush]) -> dict[int, Outcomes]:
    """{CodePush id: what became of it on devices until now}, one entry for each success given. One query."""
    releases = {_release_of(codepush): codepush.pk for codepush in codepushes}
    # Not by pairs: to SQLite a thousand pairs are an expression too deep to read. Of what is Live few are found over.
    builds, numbers = {build_id for build_id, _ in releases}, {number for _, number in releases}
    counters = ReleaseCounter.objects.filter(build_id__in=builds, label_number__in=numbers)
    rows = counters.values_list("build_id", "label_number", "installs", "rollbacks")
    found = {(build_id, number): Outcomes(*counts) for build_id, number, *counts in rows}
    return {pk: found.get(release, Outcomes()) for release, pk in releases.items()}


def _find_previous_releases(codepushes: Mapping[int, CodePush]) -> Iterable[tuple[int, datetime]]:
    """(CodePush id, when the success before it was released), those that are the first left out."""
    previous = CodePush.objects.filter(build_id=OuterRef("build_id"), label_number=OuterRef("label_number") - 1)
    released_at = previous.order_by().values(at=Coalesce("finished_at", "created_at"))[:1]
    rows = CodePush.objects.filter(pk__in=codepushes, label_number__gt=1).order_by()
    return rows.values_list("pk", Subquery(released_at))


def _sum_windows(windows: Mapping[_Release, tuple[datetime, datetime]]) -> dict[_Release, Outcomes]:
    within = Q(pk__in=())
    for (build_id, number), (since, until) in windows.items():
        within |= Q(build_id=build_id, label_number=number, hour__gte=since, hour__lt=until)
    rows = ReleaseHour.objects.filter(within).order_by().values_list("build_id", "label_number")
    sums = rows.annotate(installed=Sum("installs"), went_back=Sum("rollbacks"))
    return {(build_id, number): Outcomes(*counts) for build_id, number, *counts in sums}


def _find_stalled(codepushes: Mapping[int, CodePush], now: datetime) -> dict[int, datetime]:
    """{CodePush id: since when its rollout stands where it is}, those that move or are done left out."""
    since = {
        codepush.deployment_id: _released_at(codepush)
        for codepush in codepushes.values()
        if is_stalled(rollout_percent=codepush.rollout_percent, unchanged_since=_released_at(codepush), now=now)
    }
    if not since:
        return {}
    changes = AuditEntry.objects.filter(
        deployment_id__in=since, action=AuditAction.CODEPUSH_EDITED, after__has_key="rollout_percent"
    )
    since |= dict(changes.order_by().values_list("deployment_id").annotate(Max("created_at")))
    return {
        pk: since[codepush.deployment_id]
        for pk, codepush in codepushes.items()
        if codepush.deployment_id in since
        and is_stalled(rollout_percent=codepush.rollout_percent, unchanged_since=since[codepush.deployment_id], now=now)
    }


def _release_of(codepush: CodePush) -> _Release:
    # A success has a label (constraint).
    return codepush.build_id, codepush.label_number or 0


def _released_at(codepush: CodePush) -> datetime:
    return codepush.finished_at or codepush.created_at
