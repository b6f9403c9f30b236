"""A second person approves: the change is made by the service that would have made it, or the request ends."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from builds.actors import TokenLimit, TokenUser
from builds.errors import NotAllowedNow, StaleView
from builds.models import AuditEntry, Build, Membership, Project
from deployments.models import ChangeRequest, CodePush
from deployments.services.approvals import approve, ask_for_force_update, ask_to_edit, ask_to_promote
from deployments.services.codepushes import edit_codepush
from deployments.services.force_update import apply_force_update
from deployments.services.republishing import roll_back
from tests.deployments.answers import assert_offered
from tests.deployments.stories import audited, history, live_label, refused, release, small_archive
from tests.devices import Device
from tests.factories import CodePushFactory

pytestmark = pytest.mark.usefixtures("four_eyes")


@pytest.fixture
def promotion(build: Build, release_manager: User) -> ChangeRequest:
    """v1 is to be Live again instead of v2, at 30 %."""
    first, _ = history(build, 2)
    return ask_to_promote(first.pk, actor=release_manager, reason="Was fine", rollout_percent=30)


def _ended(request: ChangeRequest) -> ChangeRequest:
    request.refresh_from_db()
    return request


def test_a_promotion_is_made_for_who_asked(
    promotion: ChangeRequest, build: Build, release_manager: User, colleague: User
) -> None:
    with audited("change.approved", "codepush.promoted"):
        approve(promotion.pk, actor=colleague)

    live = CodePush.objects.get(label_number=3)
    assert live_label(build) == "v3"
    assert (live.origin, live.rollout_percent, live.reason, live.created_by) == (
        "promote",
        30,
        "Was fine",
        release_manager,
    )
    ended = _ended(promotion)
    assert (ended.status, ended.decided_by, ended.outcome) == ("approved", colleague, "Approved by Cem Aydin.")
    promoted = AuditEntry.objects.get(action="codepush.promoted")
    assert (promoted.actor, promoted.reason) == (colleague, "Was fine")
    assert AuditEntry.objects.get(action="change.approved").after["requested_by"] == "Elif Kaya"


def test_an_upload_gets_its_label_without_a_worker(
    build: Build, release_manager: User, colleague: User, device: Device
) -> None:
    history(build, 1)
    waiting = release(build, release_manager, small_archive(), description="Fixes the basket")
    processed_at, duration_ms = waiting.finished_at, waiting.duration_ms

    with audited("change.approved", "codepush.succeeded"):
        approve(ChangeRequest.objects.get().pk, actor=colleague)

    waiting.refresh_from_db()
    assert (waiting.status, waiting.label, waiting.created_by) == ("success", "v2", release_manager)
    assert waiting.finished_at is not None
    assert processed_at is not None
    assert waiting.finished_at > processed_at
    assert waiting.duration_ms == duration_ms
    assert_offered(device.check(), waiting)
    assert AuditEntry.objects.get(action="codepush.succeeded").before == {"live": "v1"}


def test_labels_are_in_the_order_of_approval(build: Build, release_manager: User, colleague: User) -> None:
    first = release(build, release_manager, small_archive("first"))
    second = release(build, release_manager, small_archive("second"))

    approve(ChangeRequest.objects.get(codepush=second).pk, actor=colleague)

    second.refresh_from_db()
    assert second.label == "v1"
    with pytest.raises(StaleView, match="v1 became Live since"):
        approve(ChangeRequest.objects.get(codepush=first).pk, actor=colleague)


def test_an_edit_is_made_as_asked(build: Build, release_manager: User, colleague: User) -> None:
    codepush = CodePushFactory(build=build, rollout_percent=10)
    request = ask_to_edit(
        codepush.pk, actor=release_manager, reason="No crashes", rollout_percent=50, description="Basket"
    )

    with audited("change.approved", "codepush.edited"):
        approve(request.pk, actor=colleague)

    codepush.refresh_from_db()
    assert (codepush.rollout_percent, codepush.description) == (50, "Basket")


def test_force_update_is_applied(replaced_build: Build, release_manager: User, colleague: User) -> None:
    request = ask_for_force_update(replaced_build.pk, actor=release_manager, reason="Old servers go")

    with audited("change.approved", "build.force_update_applied"):
        approve(request.pk, actor=colleague)

    replaced_build.refresh_from_db()
    assert replaced_build.is_force_updated
    assert AuditEntry.objects.get(action="build.force_update_applied").reason == "Old servers go"


def test_nobody_approves_their_own(promotion: ChangeRequest, release_manager: User) -> None:
    with refused(NotAllowedNow, "You asked for this yourself"):
        approve(promotion.pk, actor=release_manager)


def test_nor_does_their_token(promotion: ChangeRequest, release_manager: User) -> None:
    token_user = TokenUser.objects.get(pk=release_manager.pk)
    token_user.limit = TokenLimit(1, "CI", "admin", None)

    with refused(NotAllowedNow, "You asked for this yourself"):
        approve(promotion.pk, actor=token_user)


def test_nobody_approves_twice(promotion: ChangeRequest, colleague: User, owner: User) -> None:
    approve(promotion.pk, actor=colleague)

    with refused(NotAllowedNow, "has ended already", "Approved by Cem Aydin"):
        approve(promotion.pk, actor=owner)


def _roll_back(request: ChangeRequest, actor: User) -> None:
    roll_back(CodePush.objects.get(label_number=2).pk, to_label="v1", actor=actor)


def _disable_live(request: ChangeRequest, actor: User) -> None:
    edit_codepush(CodePush.objects.get(label_number=2).pk, actor=actor, is_enabled=False)


def _disable_source(request: ChangeRequest, actor: User) -> None:
    edit_codepush(request.codepush_id or 0, actor=actor, is_enabled=False)


def _lose_role(request: ChangeRequest, actor: User) -> None:
    Membership.objects.filter(user=request.requested_by).update(role="viewer")


def _leave(request: ChangeRequest, actor: User) -> None:
    assert request.requested_by is not None
    Membership.objects.filter(user=request.requested_by).delete()
    User.objects.get(pk=request.requested_by.pk).delete()


@pytest.mark.parametrize(
    ("meanwhile", "sentence"),
    [
        (_roll_back, "v3 became Live since this was asked for."),
        (_disable_live, "v1 became Live since this was asked for."),
        (_disable_source, "The settings of v1 were changed since this was asked for."),
        (_lose_role, "Elif Kaya, who asked for it, may not release in this project any more."),
        (_leave, "somebody who has left, who asked for it, may not release in this project any more."),
    ],
)
def test_what_was_asked_against_another_state_is_outdated(
    promotion: ChangeRequest,
    build: Build,
    colleague: User,
    meanwhile: Callable[[ChangeRequest, User], None],
    sentence: str,
) -> None:
    meanwhile(promotion, colleague)
    before = live_label(build)

    with audited("change.outdated"), pytest.raises(StaleView) as refusal:
        approve(promotion.pk, actor=colleague)

    assert refusal.value.message.startswith(f"{sentence} Nothing has changed for devices.")
    assert (_ended(promotion).status, promotion.outcome, live_label(build)) == ("outdated", sentence, before)


def test_with_nothing_live_any_more_it_is_outdated(build: Build, release_manager: User, colleague: User) -> None:
    disabled = CodePushFactory(build=build, is_enabled=False)
    live = CodePushFactory(build=build)
    request = ask_to_edit(disabled.pk, actor=release_manager, reason="Was fine", is_enabled=True)
    edit_codepush(live.pk, actor=colleague, is_enabled=False)

    with pytest.raises(StaleView, match="v2 was disabled since this was asked for"):
        approve(request.pk, actor=colleague)


def test_what_the_service_refuses_by_now_is_outdated(
    replaced_build: Build, release_manager: User, colleague: User
) -> None:
    request = ask_for_force_update(replaced_build.pk, actor=release_manager, reason="Old servers go")
    Build.objects.filter(store_version="3.1.0").update(store_status="approved")

    with audited("change.outdated"), pytest.raises(StaleView, match="No build is live in the store"):
        approve(request.pk, actor=colleague)

    replaced_build.refresh_from_db()
    assert not replaced_build.is_force_updated
    assert _ended(request).status == "outdated"


def test_an_upload_on_a_build_with_force_update_is_outdated_and_canceled(
    replaced_build: Build, release_manager: User, colleague: User, owner: User, project: Project
) -> None:
    waiting = release(replaced_build, release_manager, small_archive())
    Project.objects.update(needs_second_person=False)
    apply_force_update(replaced_build.pk, actor=owner)
    Project.objects.update(needs_second_person=True)

    with audited("change.outdated"), pytest.raises(StaleView, match="Force Update is applied"):
        approve(ChangeRequest.objects.get().pk, actor=colleague)

    waiting.refresh_from_db()
    assert (waiting.status, waiting.label) == ("canceled", "")
    assert "Force Update is applied" in waiting.failure_reason


def test_what_waited_too_long_has_expired(promotion: ChangeRequest, build: Build, colleague: User) -> None:
    ChangeRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    with audited("change.expired"), pytest.raises(StaleView, match="Nobody approved it before"):
        approve(promotion.pk, actor=colleague)

    assert (_ended(promotion).status, live_label(build)) == ("expired", "v2")
