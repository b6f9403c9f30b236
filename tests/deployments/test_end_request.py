"""Requests that end without their change: refused, withdrawn, expired, or not needed any more."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from builds.errors import InvalidInput, NotAllowedNow
from builds.models import AuditEntry, Build, Project
from deployments import tasks
from deployments.models import ChangeRequest
from deployments.services.approvals import ask_to_promote, refuse, withdraw
from deployments.services.codepushes import cancel
from deployments.services.production_rules import set_second_person
from tests.deployments.stories import audited, history, live_label, refused, release, small_archive
from tests.factories import BuildFactory

pytestmark = pytest.mark.usefixtures("four_eyes")


@pytest.fixture
def upload(build: Build, release_manager: User) -> ChangeRequest:
    """An upload that waits."""
    release(build, release_manager, small_archive())
    return ChangeRequest.objects.get()


def _assert_canceled(request: ChangeRequest, status: str, words: str) -> None:
    request.refresh_from_db()
    assert (request.status, request.outcome) == (status, words)
    assert request.codepush is not None
    request.codepush.refresh_from_db()
    assert (request.codepush.status, request.codepush.failure_reason) == ("canceled", words)


def test_a_refused_upload_is_canceled_in_words(upload: ChangeRequest, build: Build, colleague: User) -> None:
    with audited("change.refused"):
        refuse(upload.pk, actor=colleague, reason="Not on a Friday")

    _assert_canceled(upload, "refused", "Refused by Cem Aydin: Not on a Friday")
    assert (upload.decided_by, live_label(build)) == (colleague, "")
    assert AuditEntry.objects.latest("pk").reason == "Not on a Friday"


def test_a_refusal_says_why(upload: ChangeRequest, colleague: User) -> None:
    with refused(InvalidInput, "The reason is empty", field="reason"):
        refuse(upload.pk, actor=colleague, reason="")


def test_who_asked_withdraws_and_does_not_refuse(upload: ChangeRequest, release_manager: User) -> None:
    with refused(NotAllowedNow, "You asked for this yourself", "Withdraw it"):
        refuse(upload.pk, actor=release_manager, reason="Not on a Friday")
    with audited("change.withdrawn"):
        withdraw(upload.pk, actor=release_manager, reason="Wrong file")

    _assert_canceled(upload, "withdrawn", "Withdrawn by Elif Kaya: Wrong file")


def test_others_refuse_and_do_not_withdraw(upload: ChangeRequest, owner: User) -> None:
    with refused(NotAllowedNow, "Elif Kaya asked for this", "Refuse it"):
        withdraw(upload.pk, actor=owner)


def test_an_upload_that_waits_is_not_canceled_but_withdrawn(upload: ChangeRequest, release_manager: User) -> None:
    with refused(NotAllowedNow, "waiting for approval", "withdrawn or refused"):
        cancel(upload.codepush_id or 0, actor=release_manager)


def test_a_request_ends_once(upload: ChangeRequest, release_manager: User, colleague: User) -> None:
    withdraw(upload.pk, actor=release_manager)

    with refused(NotAllowedNow, "has ended already", "Withdrawn by Elif Kaya."):
        refuse(upload.pk, actor=colleague, reason="Not on a Friday")


def test_the_sweep_ends_what_waited_too_long(upload: ChangeRequest, build: Build, release_manager: User) -> None:
    first, _ = history(build, 2)
    fresh = ask_to_promote(first.pk, actor=release_manager, reason="Was fine")
    ChangeRequest.objects.filter(pk=upload.pk).update(expires_at=timezone.now())

    with audited("change.expired"):
        tasks.expire_change_requests()
        tasks.expire_change_requests()

    _assert_canceled(upload, "expired", ChangeRequest.objects.get(pk=upload.pk).outcome)
    assert upload.outcome.startswith("Nobody approved it before ")
    assert ChangeRequest.objects.get(pk=fresh.pk).is_waiting


def test_turning_it_off_withdraws_what_waits(
    upload: ChangeRequest, project: Project, owner: User, release_manager: User
) -> None:
    elsewhere = ChangeRequest.objects.create(
        build=BuildFactory(), kind="force_update", expires_at=timezone.now() + timedelta(hours=1)
    )

    with audited("project.second_person_changed", "change.withdrawn"):
        set_second_person(project.pk, actor=owner, needs_second_person=False, approval_hours=24, reason="Only me now")

    _assert_canceled(
        upload,
        "withdrawn",
        "Olga Kaya turned off the second person for production changes, so it did not wait any more.",
    )
    entry = AuditEntry.objects.get(action="project.second_person_changed")
    assert (entry.before, entry.after) == ({"needs_second_person": True}, {"needs_second_person": False})
    assert entry.reason == "Only me now"
    elsewhere.refresh_from_db()
    assert elsewhere.is_waiting


def test_how_long_requests_wait_is_changed_for_those_to_come(
    upload: ChangeRequest, project: Project, owner: User
) -> None:
    with audited("project.second_person_changed"):
        set_second_person(project.pk, actor=owner, needs_second_person=True, approval_hours=2)

    before = upload.expires_at
    upload.refresh_from_db()
    assert (upload.is_waiting, upload.expires_at) == (True, before)


def test_what_is_so_already_is_no_entry(project: Project, owner: User) -> None:
    with audited():
        set_second_person(project.pk, actor=owner, needs_second_person=True, approval_hours=24)


def test_one_person_alone_cannot_turn_it_on(project: Project, owner: User) -> None:
    Project.objects.update(needs_second_person=False)

    with refused(NotAllowedNow, "Only Olga Kaya can release", "release manager first"):
        set_second_person(project.pk, actor=owner, needs_second_person=True, approval_hours=24)


@pytest.mark.parametrize("hours", [0, 169])
def test_requests_wait_an_hour_to_a_week(project: Project, owner: User, hours: int) -> None:
    with refused(InvalidInput, f"{hours} hours", "1 to 168", field="approval_hours"):
        set_second_person(project.pk, actor=owner, needs_second_person=True, approval_hours=hours)
