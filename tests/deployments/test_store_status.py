import pytest
from django.contrib.auth.models import User

from builds.errors import InvalidInput, NotAllowedNow
from builds.models import AuditEntry, Build, Project, StoreStatus
from deployments.services.build_status import set_store_status
from tests.deployments.stories import audited, refused, revision
from tests.factories import BuildFactory


@pytest.fixture
def live(project: Project, owner: User) -> Build:
    """3.0.0, live in the store."""
    build: Build = BuildFactory(project=project, store_version="3.0.0")
    return set_store_status(build.pk, actor=owner, store_status="live")


@pytest.fixture
def newer(project: Project) -> Build:
    """3.1.0 of the same platform and build target, in no store yet."""
    build: Build = BuildFactory(project=project, store_version="3.1.0")
    return build


def _store_status(build: Build) -> str:
    return Build.objects.values_list("store_status", flat=True).get(pk=build.pk)


def test_a_successful_build_goes_from_approved_to_live(newer: Build, owner: User) -> None:
    with audited("build.store_status_changed", "build.store_status_changed"):
        set_store_status(newer.pk, actor=owner, store_status="approved")
        assert not Build.objects.get(pk=newer.pk).was_store_live
        set_store_status(newer.pk, actor=owner, store_status="live")

    stored = Build.objects.get(pk=newer.pk)
    assert (stored.store_status, stored.was_store_live) == ("live", True)
    assert AuditEntry.objects.order_by("pk").values_list("before", "after").last() == (
        {"store_status": "approved"},
        {"store_status": "live"},
    )


def test_becoming_live_demotes_the_one_before_to_approved(live: Build, newer: Build, owner: User) -> None:
    with audited("build.store_status_demoted", "build.store_status_changed"):
        set_store_status(newer.pk, actor=owner, store_status="live")

    assert (_store_status(live), _store_status(newer)) == ("approved", "live")
    demotion = AuditEntry.objects.get(action="build.store_status_demoted")
    assert (demotion.build, demotion.after) == (live, {"store_status": "approved", "replaced_by": newer.pk})


def test_a_replaced_build_remembers_that_it_was_live(live: Build, newer: Build, owner: User) -> None:
    set_store_status(newer.pk, actor=owner, store_status="live")

    assert Build.objects.get(pk=live.pk).was_store_live


@pytest.mark.parametrize(
    "place", [{"platform": "ios"}, {"platform": "huawei"}, {"build_target": "staging"}], ids=lambda p: next(iter(p))
)
def test_other_platforms_and_targets_keep_their_live_build(
    live: Build, project: Project, owner: User, place: dict[str, str]
) -> None:
    elsewhere = BuildFactory(project=project, **place)

    set_store_status(elsewhere.pk, actor=owner, store_status="live")

    assert (_store_status(live), _store_status(elsewhere)) == ("live", "live")


def test_other_projects_keep_their_live_build(live: Build, owner: User) -> None:
    elsewhere = BuildFactory()

    set_store_status(elsewhere.pk, actor=owner, store_status="live")

    assert _store_status(live) == "live"


def test_every_build_of_the_slot_is_stamped_since_devices_of_each_may_be_told_the_live_version(
    live: Build, newer: Build, project: Project, owner: User
) -> None:
    older = BuildFactory(project=project, store_version="2.0.0")
    elsewhere = BuildFactory(project=project, platform="ios")
    before = {build: revision(build) for build in (live, newer, older, elsewhere)}

    set_store_status(newer.pk, actor=owner, store_status="live")

    assert {build: revision(build) - before[build] for build in before} == {live: 1, newer: 1, older: 1, elsewhere: 0}


@pytest.mark.parametrize("store_status", ["none", "approved"])
def test_the_live_build_can_be_taken_out_of_the_store(live: Build, owner: User, store_status: str) -> None:
    set_store_status(live.pk, actor=owner, store_status=store_status)

    assert _store_status(live) == store_status
    assert not Build.objects.store_live().exists()


def test_setting_what_it_is_already_changes_nothing(live: Build, owner: User) -> None:
    before = revision(live)
    with audited():
        set_store_status(live.pk, actor=owner, store_status="live")

    assert revision(live) == before


@pytest.mark.parametrize("status", ["pending", "running", "failed", "canceled"])
@pytest.mark.parametrize("store_status", ["approved", "live"])
def test_only_a_successful_build_has_a_store_status(
    live: Build, owner: User, project: Project, status: str, store_status: str
) -> None:
    build = BuildFactory(project=project, status=status)

    with refused(NotAllowedNow, "only a successful build"):
        set_store_status(build.pk, actor=owner, store_status=store_status)


def test_an_unknown_store_status_is_refused(newer: Build, owner: User) -> None:
    with refused(InvalidInput, "'published'", *StoreStatus.values, field="store_status"):
        set_store_status(newer.pk, actor=owner, store_status="published")


def test_a_failed_audit_entry_takes_the_demotion_back(
    live: Build, newer: Build, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no audit")

    monkeypatch.setattr("builds.audit.record", fail)
    with pytest.raises(RuntimeError):
        set_store_status(newer.pk, actor=owner, store_status="live")

    assert (_store_status(live), _store_status(newer)) == ("live", "none")


def test_becoming_live_again_lifts_force_update(live: Build, newer: Build, owner: User) -> None:
    set_store_status(newer.pk, actor=owner, store_status="live")
    Build.objects.filter(pk=live.pk).update(is_force_updated=True)

    with audited("build.store_status_demoted", "build.force_update_lifted", "build.store_status_changed"):
        set_store_status(live.pk, actor=owner, store_status="live")

    stored = Build.objects.get(pk=live.pk)
    assert (stored.store_status, stored.is_force_updated, _store_status(newer)) == ("live", False, "approved")


@pytest.mark.parametrize("store_status", ["none", "approved"])
def test_other_changes_of_a_replaced_build_leave_force_update_alone(
    live: Build, newer: Build, owner: User, store_status: str
) -> None:
    set_store_status(newer.pk, actor=owner, store_status="live")
    Build.objects.filter(pk=live.pk).update(is_force_updated=True)

    set_store_status(live.pk, actor=owner, store_status=store_status)

    assert Build.objects.get(pk=live.pk).is_force_updated
