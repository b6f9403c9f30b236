import pytest
from django.contrib.auth.models import User

from builds.errors import InvalidInput, NotAllowedNow
from builds.models import AuditEntry, Build
from deployments.services.build_status import set_store_status
from deployments.services.codepushes import create_codepush
from deployments.services.force_update import apply_force_update, find_force_update_obstacle, lift_force_update
from tests.deployments.stories import audited, refused, revision, small_archive
from tests.factories import BuildFactory


def _is_force_updated(build: Build) -> bool:
    return Build.objects.values_list("is_force_updated", flat=True).get(pk=build.pk)


def test_a_replaced_build_can_be_force_updated(replaced_build: Build, owner: User) -> None:
    before = revision(replaced_build)

    with audited("build.force_update_applied"):
        apply_force_update(replaced_build.pk, actor=owner, reason="Old API is switched off")

    assert _is_force_updated(replaced_build)
    assert revision(replaced_build) == before + 1
    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after) == ({"is_force_updated": False}, {"is_force_updated": True})
    assert (entry.actor, entry.reason) == (owner, "Old API is switched off")


def test_it_can_be_lifted_and_codepushes_are_taken_again(replaced_build: Build, owner: User) -> None:
    apply_force_update(replaced_build.pk, actor=owner)
    before = revision(replaced_build)

    with audited("build.force_update_lifted"):
        lift_force_update(replaced_build.pk, actor=owner)

    assert (_is_force_updated(replaced_build), revision(replaced_build)) == (False, before + 1)
    create_codepush(replaced_build.pk, actor=owner, upload=small_archive())


def test_the_store_live_build_is_refused(replaced_build: Build, owner: User) -> None:
    live = Build.objects.store_live().get()

    with refused(NotAllowedNow, "live in the store"):
        apply_force_update(live.pk, actor=owner)


def test_a_build_that_was_never_store_live_is_refused(replaced_build: Build, owner: User) -> None:
    build = BuildFactory(project=replaced_build.project, store_status="approved")

    with refused(NotAllowedNow, "never live in the store"):
        apply_force_update(build.pk, actor=owner)


def test_with_no_store_live_build_there_is_nowhere_to_send_users(replaced_build: Build, owner: User) -> None:
    set_store_status(Build.objects.store_live().get().pk, actor=owner, store_status="none")

    with refused(NotAllowedNow, "No build is live in the store"):
        apply_force_update(replaced_build.pk, actor=owner)


@pytest.mark.parametrize("place", [{"platform": "ios"}, {"build_target": "staging"}], ids=lambda p: next(iter(p)))
def test_a_store_live_build_elsewhere_is_no_place_to_send_users(
    replaced_build: Build, owner: User, place: dict[str, str]
) -> None:
    Build.objects.store_live().update(**place)

    with refused(NotAllowedNow, "No build is live in the store"):
        apply_force_update(replaced_build.pk, actor=owner)


def test_applying_and_lifting_twice_changes_nothing(replaced_build: Build, owner: User) -> None:
    with audited():
        lift_force_update(replaced_build.pk, actor=owner)
    apply_force_update(replaced_build.pk, actor=owner)
    before = revision(replaced_build)
    with audited():
        apply_force_update(replaced_build.pk, actor=owner)

    assert revision(replaced_build) == before


def test_a_reason_that_is_too_long_is_refused(replaced_build: Build, owner: User) -> None:
    with refused(InvalidInput, "281", field="reason"):
        apply_force_update(replaced_build.pk, actor=owner, reason="x" * 281)
    with refused(InvalidInput, "NUL", field="reason"):
        lift_force_update(replaced_build.pk, actor=owner, reason="a\0b")


def test_pages_learn_beforehand_whether_it_can_be_applied(replaced_build: Build, owner: User) -> None:
    live = Build.objects.store_live().get()

    assert find_force_update_obstacle(replaced_build, live) is None
    assert "live in the store" in (find_force_update_obstacle(live, live) or "")
