import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from builds.errors import InvalidInput, NotAllowedNow
from builds.models import AuditEntry, Build
from deployments.services.build_status import set_build_status
from tests.deployments.stories import audited, refused, revision
from tests.factories import BuildFactory

ALLOWED = [
    ("pending", "running"),
    ("pending", "success"),
    ("pending", "failed"),
    ("pending", "canceled"),
    ("running", "success"),
    ("running", "failed"),
    ("running", "canceled"),
]
REFUSED = [
    (before, after)
    for before in Build.Status.values
    for after in Build.Status.values
    if before != after and (before, after) not in ALLOWED
]


@pytest.mark.parametrize(("before", "after"), ALLOWED)
def test_an_unfinished_build_goes_on(owner: User, before: str, after: str) -> None:
    build = BuildFactory(status=before)
    stamp = revision(build)

    with audited("build.status_changed"):
        set_build_status(build.pk, actor=owner, status=after)

    stored = Build.objects.get(pk=build.pk)
    assert (stored.status, revision(build)) == (after, stamp + 1)
    assert stored.started_at is not None
    assert (stored.finished_at is not None) == (after != "running")
    assert AuditEntry.objects.values_list("before", "after").get() == ({"status": before}, {"status": after})


@pytest.mark.parametrize(("before", "after"), REFUSED)
def test_a_finished_build_stays_so_and_none_goes_back(owner: User, before: str, after: str) -> None:
    build = BuildFactory(status=before)

    with refused(NotAllowedNow, "Register a new build"):
        set_build_status(build.pk, actor=owner, status=after)


@pytest.mark.parametrize("status", Build.Status.values)
def test_ci_may_repeat_itself(owner: User, status: str) -> None:
    build = BuildFactory(status=status)
    stamp = revision(build)

    with audited():
        set_build_status(build.pk, actor=owner, status=status)

    assert revision(build) == stamp


def test_the_start_is_kept_when_it_finishes(owner: User) -> None:
    started_at = timezone.now()
    build = BuildFactory(status="running", started_at=started_at)

    set_build_status(build.pk, actor=None, status="success")

    assert Build.objects.get(pk=build.pk).started_at == started_at
    assert AuditEntry.objects.get().actor_name == "worker"


def test_an_unknown_status_is_refused(owner: User) -> None:
    build = BuildFactory(status="pending")

    with refused(InvalidInput, "'done'", "running", field="status"):
        set_build_status(build.pk, actor=owner, status="done")
