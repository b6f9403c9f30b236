"""Each constraint of CodePushes, bundles and diffs is seen refusing a write, whoever writes."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from deployments.models import BundleDiff, BundlePatch, ChangeRequest, CodePush, Upload
from tests.builds.test_constraints import assert_refused_by, declared_constraints
from tests.factories import BuildFactory, BundleFactory, CodePushFactory, UserFactory

pytestmark = pytest.mark.django_db


def _repeat_label() -> None:
    build = BuildFactory()
    CodePushFactory(build=build, label_number=7)
    CodePushFactory(build=build, label_number=7)


def _copy_without_source() -> None:
    CodePushFactory(origin="rollback")


def _repeat_content() -> None:
    BundleFactory(content="same")
    BundleFactory(content="same", package_hash="0" * 64)


def _diff(model: type[BundleDiff | BundlePatch] = BundleDiff, **values: object) -> BundleDiff | BundlePatch:
    return model._default_manager.create(
        **{
            "from_bundle": BundleFactory(),
            "to_bundle": BundleFactory(),
            "storage_name": f"{'d' * 64}.zip",
            "size_bytes": 1,
        }
        | values
    )


def _repeat_diff(model: type[BundleDiff | BundlePatch] = BundleDiff) -> None:
    diff = _diff(model)
    _diff(model, from_bundle=diff.from_bundle, to_bundle=diff.to_bundle)


def _diff_to_itself(model: type[BundleDiff | BundlePatch] = BundleDiff) -> None:
    bundle = BundleFactory()
    _diff(model, from_bundle=bundle, to_bundle=bundle)


def _upload_nothing() -> None:
    Upload.objects.create(
        build=BuildFactory(), created_by=UserFactory(), size_bytes=0, file_count=1, expires_at=timezone.now()
    )


def _ask(**values: object) -> ChangeRequest:
    asked: dict[str, Any] = {"kind": "promote", "requested_by": UserFactory(), "expires_at": timezone.now(), **values}
    if "codepush" not in values:
        asked["codepush"] = CodePushFactory()
    asked["build"] = asked["codepush"].build if asked["codepush"] else BuildFactory()
    return ChangeRequest.objects.create(**asked)


def _ask_twice(kind: str) -> None:
    first = _ask(kind=kind, codepush=None if kind == "force_update" else CodePushFactory())
    ChangeRequest.objects.create(kind=kind, build=first.build, codepush=first.codepush, expires_at=timezone.now())


def _approve_ones_own() -> None:
    person = UserFactory()
    _ask(requested_by=person, decided_by=person, status="approved", decided_at=timezone.now())


REFUSED_WRITES: dict[str, Callable[[], object]] = {
    "label_is_unique_per_build": _repeat_label,
    "label_iff_success": lambda: CodePushFactory(label_number=None),
    "labels_start_at_v1": lambda: CodePushFactory(label_number=0),
    "rollout_is_1_to_100": lambda: CodePushFactory(rollout_percent=0),
    "duration_is_not_negative": lambda: CodePushFactory(duration_ms=-1),
    "a_success_has_a_bundle": lambda: CodePushFactory(bundle=None),
    "source_iff_a_copy": _copy_without_source,
    "a_failure_says_why": lambda: CodePushFactory(status="failed", failure_reason=""),
    "codepush_status_is_known": lambda: CodePushFactory(status="done"),
    "origin_is_known": lambda: CodePushFactory(origin="copy", source=CodePushFactory()),
    "bundle_content_is_unique": _repeat_content,
    "bundle_size_is_positive": lambda: BundleFactory(size_bytes=0),
    "diff_is_unique": _repeat_diff,
    "diff_joins_two_bundles": _diff_to_itself,
    "upload_size_is_positive": _upload_nothing,
    "diff_is_named_by_its_hash": lambda: _diff(storage_name="d.zip"),
    "patch_is_named_by_its_hash": lambda: _diff(BundlePatch, storage_name=f"{'D' * 64}.zip"),
    "diff_size_is_positive": lambda: _diff(size_bytes=0),
    "one_waiting_change_per_codepush": lambda: _ask_twice("edit"),
    "one_waiting_force_update_per_build": lambda: _ask_twice("force_update"),
    "a_change_is_of_a_codepush_or_force_update": lambda: _ask(codepush=None),
    "a_change_waits_or_has_ended": lambda: _ask(status="refused"),
    "nobody_approves_their_own_change": _approve_ones_own,
    "patch_is_unique": lambda: _repeat_diff(BundlePatch),
    "patch_joins_two_bundles": lambda: _diff_to_itself(BundlePatch),
    "patch_size_is_positive": lambda: _diff(BundlePatch, size_bytes=0),
}


def test_every_constraint_has_a_refused_write() -> None:
    assert set(REFUSED_WRITES) == declared_constraints("deployments")


@pytest.mark.parametrize("name", REFUSED_WRITES)
def test_the_database_refuses_a_write_against(name: str) -> None:
    assert_refused_by(name, REFUSED_WRITES[name])


@pytest.mark.parametrize("status", ["pending", "processing", "failed", "canceled"])
def test_a_label_before_success_is_refused(status: str) -> None:
    assert_refused_by("label_iff_success", lambda: CodePushFactory(status=status, label_number=1))


def test_a_rollout_above_100_is_refused() -> None:
    assert_refused_by("rollout_is_1_to_100", lambda: CodePushFactory(rollout_percent=101))


def test_an_upload_with_a_source_is_refused() -> None:
    assert_refused_by("source_iff_a_copy", lambda: CodePushFactory(origin="upload", source=CodePushFactory()))


def test_a_deployment_id_is_never_reused() -> None:
    codepush = CodePushFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        CodePushFactory(deployment_id=codepush.deployment_id)


def test_a_codepush_at_every_limit_is_taken() -> None:
    for rollout_percent, duration_ms in ((1, 0), (100, None)):
        CodePushFactory(rollout_percent=rollout_percent, duration_ms=duration_ms, label_number=1)
    CodePushFactory(status="failed")

    assert CodePush.objects.count() == 3
