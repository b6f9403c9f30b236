"""Which changes wait for a second person: those that widen what production devices get, and no others."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from builds.errors import InvalidInput, NotAllowedNow
from builds.models import AuditEntry, Build, Project
from deployments.models import ChangeRequest, CodePush
from deployments.services.approvals import ask_for_force_update, ask_to_edit, ask_to_promote
from deployments.services.change import ApprovalNeeded
from deployments.services.codepushes import create_codepush, edit_codepush
from deployments.services.force_update import apply_force_update, lift_force_update
from deployments.services.processing import process_codepush
from deployments.services.republishing import promote, roll_back
from tests.deployments.answers import assert_no_update, assert_offered
from tests.deployments.stories import audited, history, live_label, refused, release, small_archive
from tests.devices import Device
from tests.factories import BuildFactory, CodePushFactory


def test_a_promotion_needs_it(four_eyes: Project, build: Build, release_manager: User) -> None:
    first, _ = history(build, 2)

    with refused(ApprovalNeeded, "Northwind Outdoor", "second person", "ask for approval"):
        promote(first.pk, actor=release_manager)


@pytest.mark.parametrize("values", [{"rollout_percent": 60}, {"is_mandatory": True}])
def test_an_edit_that_widens_needs_it(
    four_eyes: Project, build: Build, release_manager: User, values: dict[str, int]
) -> None:
    codepush = CodePushFactory(build=build, rollout_percent=50)

    with refused(ApprovalNeeded):
        edit_codepush(codepush.pk, actor=release_manager, **values)  # type: ignore[arg-type]


def test_enabling_needs_it(four_eyes: Project, build: Build, release_manager: User) -> None:
    codepush = CodePushFactory(build=build, is_enabled=False)

    with refused(ApprovalNeeded):
        edit_codepush(codepush.pk, actor=release_manager, is_enabled=True)


def test_force_update_needs_it(four_eyes: Project, replaced_build: Build, release_manager: User) -> None:
    with refused(ApprovalNeeded):
        apply_force_update(replaced_build.pk, actor=release_manager)


@pytest.mark.parametrize(
    "act",
    [
        lambda live, actor: roll_back(live.pk, to_label="v1", actor=actor),
        lambda live, actor: edit_codepush(live.pk, actor=actor, is_enabled=False),
        lambda live, actor: edit_codepush(live.pk, actor=actor, rollout_percent=10),
        lambda live, actor: edit_codepush(live.pk, actor=actor, description="Basket"),
    ],
    ids=["rollback", "disable", "rollout down", "description"],
)
def test_what_stops_an_update_never_waits(
    four_eyes: Project, build: Build, release_manager: User, act: Callable[[CodePush, User], CodePush]
) -> None:
    *_, live = history(build, 2)

    act(live, release_manager)

    assert AuditEntry.objects.count() == 1


def test_lifting_force_update_never_waits(four_eyes: Project, replaced_build: Build, release_manager: User) -> None:
    replaced_build.is_force_updated = True
    replaced_build.save()

    assert not lift_force_update(replaced_build.pk, actor=release_manager).is_force_updated


def test_staging_builds_need_nobody(four_eyes: Project, release_manager: User) -> None:
    build = BuildFactory(project=four_eyes, build_target="staging")
    first, _ = history(build, 2)

    assert promote(first.pk, actor=release_manager).label == "v3"
    assert release(build, release_manager, small_archive()).label == "v4"


def test_without_the_setting_nobody_is_asked(build: Build, release_manager: User) -> None:
    first, _ = history(build, 2)

    with refused(NotAllowedNow, "needs no second person"):
        ask_to_promote(first.pk, actor=release_manager, reason="Was fine")


def test_an_upload_is_processed_and_waits(
    four_eyes: Project, build: Build, release_manager: User, device: Device
) -> None:
    history(build, 1)
    (live,) = CodePush.objects.all()

    with audited("codepush.created", "change.requested"):
        waiting = release(build, release_manager, small_archive(), rollout_percent=40, reason="Fixes the basket")

    assert (waiting.status, waiting.label, waiting.bundle is not None) == ("waiting", "", True)
    request = ChangeRequest.objects.get()
    assert (request.kind, request.codepush, request.live_label) == ("release", waiting, "v1")
    assert (request.requested_by, request.reason, request.is_waiting) == (release_manager, "Fixes the basket", True)
    assert request.parameters == {"rollout_percent": 40, "is_mandatory": False}
    assert live_label(build) == "v1"
    assert_offered(device.check(), live)


def test_a_device_is_never_offered_an_update_that_waits(
    four_eyes: Project, build: Build, release_manager: User, device: Device
) -> None:
    waiting = release(build, release_manager, small_archive())

    assert_no_update(device.check(), should_run_binary_version=True)
    process_codepush(waiting.pk)
    waiting.refresh_from_db()
    assert waiting.status == "waiting"


@pytest.mark.parametrize("act", ["edit", "promote", "rollback"])
def test_an_update_that_waits_can_be_neither_edited_nor_published_otherwise(
    four_eyes: Project, build: Build, release_manager: User, act: str
) -> None:
    waiting = release(build, release_manager, small_archive())

    with refused(NotAllowedNow):
        if act == "edit":
            edit_codepush(waiting.pk, actor=release_manager, description="Basket")
        elif act == "promote":
            promote(waiting.pk, actor=release_manager)
        else:
            roll_back(waiting.pk, to_label="v1", actor=release_manager)


def test_what_is_asked_for_is_kept_with_what_it_was_asked_against(
    four_eyes: Project, build: Build, release_manager: User
) -> None:
    codepush = CodePushFactory(build=build, rollout_percent=10)

    with audited("change.requested"):
        request = ask_to_edit(
            codepush.pk, actor=release_manager, reason="No crashes", rollout_percent=50, is_enabled=True
        )

    assert request.parameters == {"rollout_percent": 50}
    assert request.before == {"is_enabled": True, "is_mandatory": False, "rollout_percent": 10}
    entry = AuditEntry.objects.get()
    assert (entry.reason, entry.after) == (
        "No crashes",
        {"change": "edit", "request": request.pk, "rollout_percent": 50},
    )
    assert (entry.actor, entry.deployment_id, entry.build) == (release_manager, codepush.deployment_id, build)
    codepush.refresh_from_db()
    assert codepush.rollout_percent == 10


def test_the_project_says_how_long_it_waits(four_eyes: Project, replaced_build: Build, release_manager: User) -> None:
    four_eyes.approval_hours = 3
    four_eyes.save()

    request = ask_for_force_update(replaced_build.pk, actor=release_manager, reason="Old servers go")

    assert round((request.expires_at - ChangeRequest.objects.get().requested_at).total_seconds() / 3600, 2) == 3


def test_a_request_says_why(four_eyes: Project, build: Build, release_manager: User) -> None:
    first, _ = history(build, 2)

    with refused(InvalidInput, "The reason is empty", field="reason"):
        ask_to_promote(first.pk, actor=release_manager, reason=" ")


def test_what_could_not_be_done_cannot_be_asked_for(four_eyes: Project, build: Build, release_manager: User) -> None:
    *_, live = history(build, 2)

    with refused(NotAllowedNow, "v2 is Live already"):
        ask_to_promote(live.pk, actor=release_manager, reason="Was fine")
    with refused(NotAllowedNow, "never live in the store"):
        ask_for_force_update(build.pk, actor=release_manager, reason="Old servers go")
    with refused(NotAllowedNow, "needs no second person"):
        ask_to_edit(live.pk, actor=release_manager, reason="Slower", rollout_percent=10)


def test_of_one_thing_one_change_waits(
    four_eyes: Project, build: Build, release_manager: User, colleague: User
) -> None:
    codepush = CodePushFactory(build=build, rollout_percent=10)
    ask_to_edit(codepush.pk, actor=release_manager, reason="No crashes", rollout_percent=50)

    with refused(NotAllowedNow, "v1 waits for approval already", "Elif Kaya"):
        ask_to_edit(codepush.pk, actor=colleague, reason="No crashes", rollout_percent=70)


def test_an_upload_of_before_the_setting_waits_too(project: Project, build: Build, release_manager: User) -> None:
    codepush = create_codepush(build.pk, actor=release_manager, upload=small_archive())
    Project.objects.update(needs_second_person=True)
    process_codepush(codepush.pk)

    codepush.refresh_from_db()
    assert codepush.status == "waiting"
