"""Approvals that meet each other, or something else, at the same moment, with real commits."""

import pytest
from django.contrib.auth.models import User

from builds.errors import NotAllowedNow, StaleView
from builds.models import AuditEntry, Build, Project
from deployments.models import ChangeRequest, CodePush
from deployments.services.approvals import approve, ask_for_force_update, ask_to_promote, refuse, withdraw
from deployments.services.codepushes import create_codepush
from deployments.services.processing import process_codepush
from deployments.services.production_rules import set_second_person
from deployments.services.republishing import roll_back
from tests.deployments.stories import history, live_label, small_archive
from tests.deployments.test_concurrency import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("four_eyes")]


def _kinds(outcomes: list[object]) -> list[str]:
    return sorted(type(outcome).__name__ for outcome in outcomes)


def test_two_who_approve_at_once_make_the_change_once(
    build: Build, release_manager: User, colleague: User, owner: User
) -> None:
    first, _ = history(build, 2)
    request = ask_to_promote(first.pk, actor=release_manager, reason="Was fine")

    outcomes = at_once(*[lambda actor=actor: approve(request.pk, actor=actor) for actor in (colleague, owner) * 3])

    assert _kinds(outcomes) == ["ChangeRequest", *[NotAllowedNow.__name__] * 5]
    assert list(CodePush.objects.values_list("label_number", flat=True).order_by("label_number")) == [1, 2, 3]
    assert AuditEntry.objects.filter(action="codepush.promoted").count() == 1


def test_force_updates_of_one_slot_do_not_wait_for_each_other_in_a_circle(
    replaced_build: Build, release_manager: User, colleague: User, owner: User
) -> None:
    request = ask_for_force_update(replaced_build.pk, actor=release_manager, reason="Old servers go")

    outcomes = at_once(*[lambda actor=actor: approve(request.pk, actor=actor) for actor in (colleague, owner) * 3])

    assert _kinds(outcomes) == ["ChangeRequest", *[NotAllowedNow.__name__] * 5]


def test_approved_refused_or_withdrawn_but_one_of_them(
    build: Build, release_manager: User, colleague: User, owner: User
) -> None:
    first, _ = history(build, 2)
    request = ask_to_promote(first.pk, actor=release_manager, reason="Was fine")

    outcomes = at_once(
        lambda: approve(request.pk, actor=colleague),
        lambda: refuse(request.pk, actor=owner, reason="Not on a Friday"),
        lambda: withdraw(request.pk, actor=release_manager),
    )

    assert _kinds(outcomes) == ["ChangeRequest", NotAllowedNow.__name__, NotAllowedNow.__name__]
    request.refresh_from_db()
    assert live_label(build) == ("v3" if request.status == "approved" else "v2")


def test_a_rollback_never_waits_for_an_approval_or_is_undone_by_it(
    build: Build, release_manager: User, colleague: User, owner: User
) -> None:
    first, _, live = history(build, 3)
    request = ask_to_promote(first.pk, actor=release_manager, reason="Was fine")

    _, rolled_back = at_once(
        lambda: approve(request.pk, actor=colleague), lambda: roll_back(live.pk, to_label="v2", actor=owner)
    )

    request.refresh_from_db()
    if isinstance(rolled_back, CodePush):
        # The rollback was first: what was asked for does not fit any more.
        assert (request.status, live_label(build)) == ("outdated", "v4")
    else:
        # v3 was not Live any more.
        assert (request.status, live_label(build)) == ("approved", "v4")


def test_while_it_is_turned_off_nothing_is_left_waiting(
    build: Build, project: Project, release_manager: User, owner: User, colleague: User
) -> None:
    pending = [create_codepush(build.pk, actor=release_manager, upload=small_archive(text)) for text in "abc"]

    *_, turned_off = at_once(
        *[lambda pk=codepush.pk: process_codepush(pk) for codepush in pending],
        lambda: set_second_person(
            project.pk, actor=owner, needs_second_person=False, approval_hours=24, reason="Alone"
        ),
    )

    assert isinstance(turned_off, Project)
    assert not ChangeRequest.objects.filter(status="waiting").exists()
    assert set(CodePush.objects.values_list("status", flat=True)) <= {"success", "canceled"}


def test_the_outdated_request_is_told_to_one_of_two(
    build: Build, release_manager: User, colleague: User, owner: User
) -> None:
    first, _, live = history(build, 3)
    request = ask_to_promote(first.pk, actor=release_manager, reason="Was fine")
    roll_back(live.pk, to_label="v2", actor=owner)

    outcomes = at_once(lambda: approve(request.pk, actor=colleague), lambda: approve(request.pk, actor=owner))

    assert _kinds(outcomes) == [NotAllowedNow.__name__, StaleView.__name__]
    assert AuditEntry.objects.filter(action="change.outdated").count() == 1
