"""CodePushes over the release API: the same services as the dashboard, so here only what the API adds."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from builds.models import Build
from deployments.models import CodePush
from deployments.services.attempt import Attempt
from deployments.services.processing import process_codepush
from tests.deployments.pages import report_installed
from tests.deployments.stories import audited, history, live_label, sample, small_archive
from tests.factories import CodePushFactory
from tests.release_api.caller import Caller, assert_error


def _path(codepush: CodePush, action: str = "") -> str:
    return f"/codepushes/{codepush.deployment_id}{action and '/'}{action}"


def _hash(codepush: CodePush) -> str:
    assert codepush.bundle is not None
    return codepush.bundle.package_hash


def test_an_upload_is_pending_then_live(api: Caller, build: Build, owner: User) -> None:
    with audited("codepush.created"):
        answer = api.upload(
            f"/builds/{build.pk}/codepushes",
            sample("android-v1"),
            description="Fixes the cart",
            is_mandatory="true",
            rollout_percent="25",
            platform="android",
            build_target="production",
        )
    assert answer.status_code == 202
    created = answer.json()
    assert created == {
        "deployment_id": created["deployment_id"],
        "build_id": build.pk,
        "status": "pending",
        "step": "queued",
        "progress_percent": 0,
        "label": None,
        "is_live": False,
        "is_enabled": True,
        "is_mandatory": True,
        "rollout_percent": 25,
        "description": "Fixes the cart",
        "target_binary_range": "3.0.0",
        "origin": "upload",
        "references": None,
        "reason": "",
        "package_hash": None,
        "is_signed": False,
        "size_bytes": 889082,
        "duration_seconds": None,
        "created_at": created["created_at"],
        "created_by": owner.username,
        "failure_reason": None,
    }
    process_codepush(CodePush.objects.get().pk)
    done = api.get(f"/codepushes/{created['deployment_id']}").json()
    assert (done["status"], done["label"], done["is_live"], len(done["package_hash"])) == ("success", "v1", True, 64)
    assert done["duration_seconds"] > 0


def test_two_uploads_at_once_get_their_labels_in_order_of_success(api: Caller, build: Build) -> None:
    path = f"/builds/{build.pk}/codepushes"
    first, second = (api.upload(path, small_archive(text)).json()["deployment_id"] for text in ("a()", "b()"))
    for deployment_id in (second, first):
        process_codepush(CodePush.objects.get(deployment_id=deployment_id).pk)
    labels = {each["deployment_id"]: each["label"] for each in api.get(path).json()["items"]}
    assert labels == {second: "v1", first: "v2"}


def test_a_second_upload_is_taken_while_one_is_processing(api: Caller, build: Build) -> None:
    path = f"/builds/{build.pk}/codepushes"
    first = api.upload(path, small_archive("a()")).json()["deployment_id"]
    assert Attempt.claim(CodePush.objects.get(deployment_id=first).pk) is not None

    second = api.upload(path, small_archive("b()"))
    assert second.status_code == 202
    process_codepush(CodePush.objects.get(deployment_id=second.json()["deployment_id"]).pk)

    assert [(each["status"], each["label"]) for each in api.get(path).json()["items"]] == [
        ("success", "v1"),
        ("processing", None),
    ]


def test_the_list_is_newest_first_and_in_pages(api: Caller, build: Build) -> None:
    history(build, 3)
    CodePushFactory(build=build, status="failed")
    path = f"/builds/{build.pk}/codepushes"
    everything = api.get(path).json()
    assert everything["count"] == 4
    assert [(each["label"], each["is_live"]) for each in everything["items"]] == [
        (None, False),
        ("v3", True),
        ("v2", False),
        ("v1", False),
    ]
    assert everything["items"][0]["failure_reason"] == "Wrong."
    page = api.get(path, limit=2, offset=1).json()
    assert (page["items"], page["count"]) == (everything["items"][1:3], 4)


@pytest.mark.parametrize("count", [1, 30])
def test_a_list_costs_the_same_however_long_it_is(api: Caller, build: Build, count: int) -> None:
    history(build, count)
    api.get("/projects")
    with CaptureQueriesContext(connection) as queries:
        assert len(api.get(f"/builds/{build.pk}/codepushes").json()["items"]) == count
    # Token, person, build, membership, which ones, their number, the rows.
    assert len(queries) == 6


def test_only_what_is_given_is_edited(api: Caller, build: Build) -> None:
    codepush = CodePushFactory(build=build, description="Before")
    with audited("codepush.edited"):
        answer = api.patch(_path(codepush), {"is_enabled": False, "rollout_percent": 50})
    changed = answer.json()
    assert answer.status_code == 200
    assert (changed["is_enabled"], changed["rollout_percent"], changed["description"]) == (False, 50, "Before")
    assert changed["is_live"] is False


def test_rollback_makes_a_copy_of_an_earlier_one_live(api: Caller, build: Build) -> None:
    v1, _, v3 = history(build, 3)
    answer = api.post(_path(v3, "rollback"), {"to": "v1", "reason": "Crashes", "is_mandatory": True})
    made = answer.json()
    assert answer.status_code == 201
    assert (made["label"], made["is_live"], made["references"], made["origin"]) == ("v4", True, "v1", "rollback")
    assert (made["reason"], made["is_mandatory"], made["package_hash"]) == (
        "Crashes",
        True,
        v1.bundle and v1.bundle.package_hash,
    )


def test_promote_makes_a_copy_live_with_no_body_at_all(api: Caller, build: Build) -> None:
    v1, _ = history(build, 2)
    answer = api.post(_path(v1, "promote"))
    assert (answer.status_code, answer.json()["label"], answer.json()["references"]) == (201, "v3", "v1")


@pytest.mark.parametrize("action", ["promote", "rollback"])
def test_of_several_who_saw_the_same_live_one_the_first_wins(api: Caller, build: Build, action: str) -> None:
    v1, v2 = history(build, 2)
    body = {"expected_live": "v2", **({"to": "v1"} if action == "rollback" else {})}
    target = v2 if action == "rollback" else v1
    assert api.post(_path(target, action), body).status_code == 201
    for _ in range(3):
        assert_error(api.post(_path(target, action), body), 409, "stale", "v3 became Live")
    assert live_label(build) == "v3"


def test_retry_and_cancel(api: Caller, build: Build) -> None:
    bad = api.upload(f"/builds/{build.pk}/codepushes", small_archive()).json()["deployment_id"]
    canceled = api.post(f"/codepushes/{bad}/cancel")
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    assert_error(api.post(f"/codepushes/{bad}/cancel"), 409, "conflict", "canceled")
    assert_error(api.post(f"/codepushes/{bad}/retry"), 409, "conflict", "only a failed CodePush")

    CodePush.objects.filter(deployment_id=bad).update(status="failed", failure_reason="Full.")
    again = api.post(f"/codepushes/{bad}/retry")
    assert (again.status_code, again.json()["status"]) == (200, "pending")


def test_the_numbers_are_those_of_the_card(api: Caller, build: Build) -> None:
    v1, v2 = history(build, 2)
    report_installed(build, "v1", 1)
    report_installed(build, "v2", 2, first=1)
    report_installed(build, "", 1, first=3)
    numbers: dict[str, Any] = api.get(_path(v2, "metrics")).json()
    assert numbers.pop("as_of")
    assert numbers == {
        "rollout_percent": 100,
        "active_devices": 2,
        "active_percent": 50.0,
        "downloads": numbers["downloads"],
        "installs": 2,
        "rollbacks": 0,
        "download_reports": numbers["download_reports"],
        "install_reports": 2,
        "rollback_reports": 0,
        "total_devices": 4,
    }
    assert api.get(_path(v1, "metrics")).json()["active_percent"] == 25.0


def test_without_devices_there_is_no_share(api: Caller, build: Build) -> None:
    numbers = api.get(_path(CodePushFactory(build=build), "metrics")).json()
    assert (numbers["active_devices"], numbers["active_percent"], numbers["total_devices"]) == (0, None, 0)
