"""A pipeline meets a project that wants a second person: it asks, and others approve, refuse or withdraw."""

import pytest
from django.contrib.auth.models import User

from builds.models import Build, Project, Role
from deployments.models import ChangeRequest, CodePush
from deployments.services.approvals import ask_for_force_update, ask_to_promote
from deployments.services.codepushes import edit_codepush
from deployments.services.processing import process_codepush
from tests.deployments.stories import audited, history, live_label, small_archive
from tests.factories import CodePushFactory
from tests.release_api.caller import Caller, assert_error

pytestmark = pytest.mark.usefixtures("four_eyes")


@pytest.fixture
def promotion(build: Build, release_manager: User) -> ChangeRequest:
    first, _ = history(build, 2)
    return ask_to_promote(first.pk, actor=release_manager, reason="Was fine")


def test_a_change_that_waits_is_refused_with_a_code_of_its_own(
    build: Build, replaced_build: Build, release_manager: User
) -> None:
    first, live = history(build, 2)
    api = Caller(release_manager)

    assert_error(api.post(f"/codepushes/{first.deployment_id}/promote"), 409, "approval_needed", "second person")
    edit_codepush(live.pk, actor=release_manager, rollout_percent=10)
    answer = api.patch(f"/codepushes/{live.deployment_id}", {"rollout_percent": 50})
    assert_error(answer, 409, "approval_needed", "second person")
    assert_error(api.post(f"/builds/{replaced_build.pk}/force-update"), 409, "approval_needed", "second person")


def test_what_stops_an_update_does_not_wait(build: Build, release_manager: User) -> None:
    _, live = history(build, 2)
    api = Caller(release_manager)

    assert api.patch(f"/codepushes/{live.deployment_id}", {"is_enabled": False}).status_code == 200
    assert live_label(build) == "v1"


def test_an_upload_waits_and_is_approved(build: Build, release_manager: User, colleague: User) -> None:
    created = Caller(release_manager).upload(
        f"/builds/{build.pk}/codepushes", small_archive(), reason="Fixes the basket", rollout_percent="20"
    )
    process_codepush(CodePush.objects.get().pk)
    deployment_id = created.json()["deployment_id"]
    api = Caller(colleague)

    shown = api.get(f"/codepushes/{deployment_id}").json()
    assert (shown["status"], shown["label"], shown["is_live"]) == ("waiting", None, False)
    listed = api.get(f"/builds/{build.pk}/change-requests", status="waiting").json()
    assert listed["count"] == 1
    (waiting,) = listed["items"]
    assert waiting == {
        "id": ChangeRequest.objects.get().pk,
        "build_id": build.pk,
        "deployment_id": deployment_id,
        "kind": "release",
        "change": "Release at 20%",
        "parameters": {"rollout_percent": 20, "is_mandatory": False},
        "reason": "Fixes the basket",
        "live_label": None,
        "status": "waiting",
        "requested_by": "elif",
        "requested_at": waiting["requested_at"],
        "expires_at": waiting["expires_at"],
        "decided_by": None,
        "decided_at": None,
        "outcome": None,
    }
    approved = api.post(f"/change-requests/{waiting['id']}/approve")
    assert (approved.status_code, approved.json()["status"], approved.json()["decided_by"]) == (200, "approved", "cem")
    assert api.get(f"/codepushes/{deployment_id}").json()["is_live"] is True
    assert api.get(f"/builds/{build.pk}/change-requests", status="waiting").json()["count"] == 0


def test_an_edit_a_promotion_and_force_update_are_asked_for(
    build: Build, replaced_build: Build, release_manager: User, colleague: User
) -> None:
    first = CodePushFactory(build=build)
    live = CodePushFactory(build=build, rollout_percent=10)
    api = Caller(release_manager)

    asked = [
        api.post(f"/codepushes/{live.deployment_id}/edit-request", {"rollout_percent": 50, "reason": "No crashes"}),
        api.post(
            f"/codepushes/{first.deployment_id}/promote-request",
            {"rollout_percent": 30, "reason": "Was fine", "expected_live": "v2"},
        ),
        api.post(f"/builds/{replaced_build.pk}/force-update-request", {"reason": "Old servers go"}),
    ]

    assert [answer.status_code for answer in asked] == [201] * 3
    assert [answer.json()["change"] for answer in asked] == [
        "v2: rollout 10% → 50%",
        "Promote v1 at 30%",
        "Force Update",
    ]
    assert asked[0].json()["deployment_id"] == live.deployment_id
    approved = Caller(colleague).post(f"/change-requests/{asked[0].json()['id']}/approve")
    assert approved.status_code == 200
    live.refresh_from_db()
    assert live.rollout_percent == 50


def test_asking_against_another_live_label_is_stale(build: Build, release_manager: User) -> None:
    first, _ = history(build, 2)

    answer = Caller(release_manager).post(
        f"/codepushes/{first.deployment_id}/promote-request", {"reason": "Was fine", "expected_live": "v1"}
    )

    assert_error(answer, 409, "stale", "v2 became Live")


@pytest.mark.parametrize("role", [Role.RELEASE_MANAGER, Role.ADMIN])
def test_no_token_of_who_asked_approves(promotion: ChangeRequest, release_manager: User, role: Role) -> None:
    answer = Caller(release_manager, role=role).post(f"/change-requests/{promotion.pk}/approve")

    assert_error(answer, 409, "conflict", "You asked for this yourself")


def test_a_token_of_somebody_else_approves_once(promotion: ChangeRequest, owner: User, build: Build) -> None:
    api = Caller(owner)
    with audited("change.approved", "codepush.promoted"):
        first = api.post(f"/change-requests/{promotion.pk}/approve", Idempotency_Key="job-1")
        again = api.post(f"/change-requests/{promotion.pk}/approve", Idempotency_Key="job-1")

    assert first.json() == again.json()
    assert_error(api.post(f"/change-requests/{promotion.pk}/approve"), 409, "conflict", "has ended already")
    assert live_label(build) == "v3"


def test_an_outdated_request_stays_outdated_whatever_key_was_sent(
    promotion: ChangeRequest, owner: User, colleague: User
) -> None:
    edit_codepush(promotion.codepush_id or 0, actor=colleague, is_enabled=False)

    answer = Caller(owner).post(f"/change-requests/{promotion.pk}/approve", Idempotency_Key="job-1")

    assert_error(answer, 409, "stale", "settings of v1 were changed")
    assert Caller(owner).get(f"/change-requests/{promotion.pk}").json()["status"] == "outdated"


def test_refused_and_withdrawn(
    promotion: ChangeRequest, replaced_build: Build, release_manager: User, colleague: User
) -> None:
    other = ask_for_force_update(replaced_build.pk, actor=release_manager, reason="Old servers go")

    refused = Caller(colleague).post(f"/change-requests/{promotion.pk}/refuse", {"reason": "Not on a Friday"})
    withdrawn = Caller(release_manager).post(f"/change-requests/{other.pk}/withdraw", {"reason": "Too early"})

    assert (refused.json()["status"], refused.json()["outcome"]) == ("refused", "Refused by Cem Aydin: Not on a Friday")
    assert (withdrawn.json()["status"], withdrawn.json()["outcome"]) == (
        "withdrawn",
        "Withdrawn by Elif Kaya: Too early",
    )


@pytest.mark.parametrize("action", ["approve", "refuse", "withdraw"])
def test_viewers_look_and_outsiders_see_nothing(
    promotion: ChangeRequest, viewer: User, outsider: User, action: str
) -> None:
    address, body = f"/change-requests/{promotion.pk}", {"reason": "No"} if action == "refuse" else None

    assert Caller(viewer).get(address).json()["change"] == "Promote v1 at 100%"
    assert_error(Caller(viewer).post(f"{address}/{action}", body), 403, "forbidden", "Release manager")
    assert_error(Caller(outsider).get(address), 404, "not_found", "no change request")
    assert_error(Caller(outsider).post(f"{address}/{action}", body), 404, "not_found")
    assert_error(Caller(outsider).post("/change-requests/999999/approve"), 404, "not_found", "no change request")


def test_without_the_setting_there_is_nothing_to_ask(build: Build, release_manager: User) -> None:
    Project.objects.update(needs_second_person=False)
    first, _ = history(build, 2)

    answer = Caller(release_manager).post(f"/codepushes/{first.deployment_id}/promote-request", {"reason": "Was fine"})

    assert_error(answer, 409, "conflict", "needs no second person now")
