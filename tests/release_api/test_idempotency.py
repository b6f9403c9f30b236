"""A request that is sent twice with the same Idempotency-Key acts once, and is answered alike."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.utils import timezone

from builds.idempotency import KEPT_FOR
from builds.models import Build, DoneRequest, Project, Role
from deployments import bundle_storage
from deployments.models import CodePush
from tests.deployments.stories import history, live_label, small_archive, stored_files
from tests.deployments.test_concurrency import at_once
from tests.release_api.caller import Caller, assert_error

KEY = {"Idempotency_Key": "run-4711"}


def _same(*answers: Any) -> bool:
    return len({(answer.status_code, answer.content) for answer in answers}) == 1


def test_the_same_request_acts_once(api: Caller, build: Build) -> None:
    v1, _ = history(build, 2)
    path = f"/codepushes/{v1.deployment_id}/promote"
    first, second = (api.post(path, {"reason": "Stable"}, **KEY) for _ in range(2))

    assert first.status_code == 201
    assert _same(first, second)
    assert live_label(build) == "v3"
    assert api.post(path, {"reason": "Stable"}, Idempotency_Key="another").json()["label"] == "v4"


def test_the_same_key_with_another_request_is_refused(api: Caller, build: Build) -> None:
    v1, v2 = history(build, 2)
    path = f"/codepushes/{v1.deployment_id}/promote"
    api.post(path, {"reason": "Stable"}, **KEY)

    for other_path, body in ((path, {"reason": "Other"}), (f"/codepushes/{v2.deployment_id}/promote", {})):
        answer = api.post(other_path, body, **KEY)
        assert_error(answer, 409, "idempotency_key_reused", "'run-4711'", field="Idempotency-Key")
    assert live_label(build) == "v3"


def test_what_an_outage_forbade_may_be_sent_again_with_its_key(
    api: Caller, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upload() -> Any:
        return api.upload(f"/builds/{build.pk}/codepushes", small_archive("run()"), {"Idempotency-Key": "build-12"})

    with monkeypatch.context() as outage:
        outage.setattr(bundle_storage, "save_upload", mock.Mock(side_effect=bundle_storage.StorageUnavailable))
        refused = upload()
    assert_error(refused, 503, "unavailable", "cannot be stored now")
    assert refused.headers["Retry-After"] == "5"
    assert upload().status_code == 202
    assert CodePush.objects.count() == 1


def test_an_upload_is_stored_once_whatever_its_boundary(api: Caller, build: Build) -> None:
    path = f"/builds/{build.pk}/codepushes"

    def upload(text: str, **fields: str) -> Any:
        return api.upload(path, small_archive(text), {"Idempotency-Key": "build-12"}, **fields)

    first, second = upload("run()"), upload("run()")
    assert first.status_code == 202
    assert _same(first, second)
    assert_error(upload("walk()"), 409, "idempotency_key_reused", field="Idempotency-Key")
    assert_error(upload("run()", description="x"), 409, "idempotency_key_reused", field="Idempotency-Key")
    assert CodePush.objects.count() == len(stored_files()) == 1


def test_a_refusal_is_repeated_too(api: Caller, build: Build) -> None:
    (v1,) = history(build, 1)
    path = f"/codepushes/{v1.deployment_id}/promote"
    refused = api.post(path, {}, **KEY)
    assert_error(refused, 409, "conflict", "Live already")
    history(build, 1)
    assert _same(refused, api.post(path, {}, **KEY))
    assert live_label(build) == "v2"


def test_what_was_not_begun_leaves_the_key_free(api: Caller, owner: User, project: Project) -> None:
    path = f"/projects/{project.slug}/builds"
    body = {"platform": "ios", "build_target": "staging", "store_version": "3.1.0"}
    assert_error(api.post(path, body | {"platform": "tv"}, **KEY), 422, "invalid_input", field="platform")
    assert_error(api.post("/projects/nothing/builds", body, **KEY), 404, "not_found")
    assert api.post(path, body, **KEY).status_code == 201


def test_each_token_has_keys_of_its_own(api: Caller, owner: User, build: Build) -> None:
    v1, _ = history(build, 2)
    for caller in (api, Caller(owner)):
        assert caller.post(f"/codepushes/{v1.deployment_id}/promote", {}, **KEY).status_code == 201
    assert live_label(build) == "v4"


def test_a_key_is_forgotten_after_a_day(api: Caller, build: Build) -> None:
    v1, _ = history(build, 2)
    path = f"/codepushes/{v1.deployment_id}/promote"
    api.post(path, {}, **KEY)
    DoneRequest.objects.update(created_at=timezone.now() - KEPT_FOR - timedelta(seconds=1))
    assert api.post(path, {}, **KEY).json()["label"] == "v4"


@pytest.mark.parametrize("key", ["", " ", "ü", "x" * 256, "a b"])
def test_what_is_no_key_is_refused(api: Caller, key: str) -> None:
    answer = api.post("/projects", {"name": "X"}, Idempotency_Key=key)
    assert_error(answer, 422, "invalid_input", field="Idempotency-Key")
    assert Project.objects.count() == 1


def _die_at_the_answer(done: DoneRequest, **how: Any) -> None:
    if not done._state.adding:
        raise KeyboardInterrupt
    Model.save(done, **how)


def test_after_a_crash_in_the_middle_the_request_acts(api: Caller, build: Build) -> None:
    v1, _ = history(build, 2)
    path = f"/codepushes/{v1.deployment_id}/promote"
    # The effect is done and not committed, the answer not stored: a process that dies here leaves neither.
    with mock.patch.object(DoneRequest, "save", _die_at_the_answer), pytest.raises(KeyboardInterrupt):
        api.post(path, {}, **KEY)
    assert (live_label(build), DoneRequest.objects.count()) == ("v2", 0)
    assert api.post(path, {}, **KEY).json()["label"] == "v3"


@pytest.mark.django_db(transaction=True)
def test_of_the_same_request_at_the_same_moment_one_acts(api: Caller, build: Build) -> None:
    v1, _ = history(build, 2)
    answers = at_once(*[lambda: api.post(f"/codepushes/{v1.deployment_id}/promote", {}, **KEY)] * 5)
    assert _same(*answers)
    assert (live_label(build), CodePush.objects.count()) == ("v3", 3)


@pytest.mark.django_db(transaction=True)
def test_of_the_same_upload_at_the_same_moment_one_is_stored(build: Build, release_manager: User) -> None:
    caller = Caller(release_manager, role=Role.RELEASE_MANAGER)

    def upload() -> Any:
        return caller.upload(f"/builds/{build.pk}/codepushes", small_archive(), {"Idempotency-Key": "build-12"})

    assert _same(*at_once(*[upload] * 5))
    assert CodePush.objects.count() == len(stored_files()) == 1


@pytest.mark.django_db(transaction=True)
def test_of_rollbacks_over_the_api_that_saw_the_same_live_one_the_first_wins(api: Caller, build: Build) -> None:
    _, v2 = history(build, 2)
    path = f"/codepushes/{v2.deployment_id}/rollback"
    answers: list[Any] = at_once(*[lambda: api.post(path, {"to": "v1", "expected_live": "v2"})] * 5)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert live_label(build) == "v3"
    others: list[Any] = at_once(*[lambda: api.post(path, {"to": "v1"})] * 5)
    assert sorted(answer.json()["label"] for answer in others) == ["v4", "v5", "v6", "v7", "v8"]
