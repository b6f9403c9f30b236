from typing import Any

import pytest
from django.contrib.auth.models import User

from builds.errors import InvalidInput, NotAllowedNow, StaleView
from builds.models import AuditEntry, Build
from deployments.models import CodePush
from deployments.services.codepushes import edit_codepush
from tests.deployments.stories import audited, history, live_label, refused, revision
from tests.factories import CodePushFactory


def test_every_setting_can_be_edited_at_once(build: Build, release_manager: User) -> None:
    *_, live = history(build, 2)
    wanted = {"description": "Fixed", "is_enabled": False, "is_mandatory": True, "rollout_percent": 40}

    with audited("codepush.edited"):
        edit_codepush(live.pk, actor=release_manager, **wanted)  # type: ignore[arg-type]

    assert CodePush.objects.get(pk=live.pk).describe_settings() == wanted


def test_what_is_not_given_stays(build: Build, release_manager: User) -> None:
    codepush = CodePushFactory(build=build, description="As it was", is_mandatory=True, rollout_percent=30)

    edit_codepush(codepush.pk, actor=release_manager, rollout_percent=60)

    assert CodePush.objects.get(pk=codepush.pk).describe_settings() == {
        "description": "As it was",
        "is_enabled": True,
        "is_mandatory": True,
        "rollout_percent": 60,
    }


def test_the_audit_entry_holds_only_what_changed(build: Build, release_manager: User) -> None:
    codepush = CodePushFactory(build=build, rollout_percent=30)

    edit_codepush(codepush.pk, actor=release_manager, rollout_percent=60, is_mandatory=False)

    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after) == ({"rollout_percent": 30}, {"rollout_percent": 60})
    assert (entry.actor, entry.deployment_id) == (release_manager, codepush.deployment_id)


@pytest.mark.parametrize(
    "values",
    [{"description": "Fixed"}, {"is_enabled": False}, {"is_mandatory": True}, {"rollout_percent": 99}],
    ids=lambda values: next(iter(values)),
)
def test_each_change_stamps_the_build(build: Build, release_manager: User, values: dict[str, Any]) -> None:
    codepush = CodePushFactory(build=build)
    before = revision(build)

    edit_codepush(codepush.pk, actor=release_manager, **values)

    assert revision(build) == before + 1


def test_saving_without_a_change_writes_and_stamps_nothing(build: Build, release_manager: User) -> None:
    codepush = CodePushFactory(build=build, description="Same", rollout_percent=30)
    before = revision(build)

    with audited():
        edit_codepush(codepush.pk, actor=release_manager, description="Same", is_enabled=True, rollout_percent=30)

    assert revision(build) == before


def test_disabling_the_live_one_makes_the_previous_live(build: Build, release_manager: User) -> None:
    *_, live = history(build, 3)

    edit_codepush(live.pk, actor=release_manager, is_enabled=False)

    assert live_label(build) == "v2"


def test_disabling_skips_those_disabled_before(build: Build, release_manager: User) -> None:
    _, second, third = history(build, 3)

    edit_codepush(second.pk, actor=release_manager, is_enabled=False)
    assert live_label(build) == "v3"
    edit_codepush(third.pk, actor=release_manager, is_enabled=False)
    assert live_label(build) == "v1"


def test_disabling_the_last_one_leaves_none_live(build: Build, release_manager: User) -> None:
    (only,) = history(build, 1)

    edit_codepush(only.pk, actor=release_manager, is_enabled=False)

    assert live_label(build) == ""


def test_enabling_makes_it_live_again(build: Build, release_manager: User) -> None:
    history(build, 1)
    codepush = CodePushFactory(build=build, is_enabled=False)
    assert live_label(build) == "v1"

    edit_codepush(codepush.pk, actor=release_manager, is_enabled=True)

    assert live_label(build) == "v2"


def test_live_is_a_matter_of_one_build(build: Build, release_manager: User) -> None:
    (own,) = history(build, 1)
    other = CodePushFactory()

    edit_codepush(own.pk, actor=release_manager, is_enabled=False)

    assert live_label(other.build) == "v1"


def test_label_ten_is_newer_than_label_nine(build: Build) -> None:
    history(build, 10)

    assert live_label(build) == "v10"


@pytest.mark.parametrize("status", ["pending", "processing", "failed", "canceled"])
def test_what_has_not_succeeded_cannot_be_edited(build: Build, release_manager: User, status: str) -> None:
    codepush = CodePushFactory(build=build, status=status)

    with refused(NotAllowedNow, codepush.deployment_id, status):
        edit_codepush(codepush.pk, actor=release_manager, description="Fixed")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"description": "x" * 2001}, "description"),
        ({"rollout_percent": 0}, "rollout_percent"),
        ({"rollout_percent": 101}, "rollout_percent"),
    ],
)
def test_a_value_that_cannot_be_taken_is_refused_with_all_others(
    build: Build, release_manager: User, values: dict[str, Any], field: str
) -> None:
    codepush = CodePushFactory(build=build)

    with refused(InvalidInput, field=field):
        edit_codepush(codepush.pk, actor=release_manager, **{"description": "Fixed", "is_mandatory": True, **values})


def test_an_edit_opened_under_another_live_label_is_refused(build: Build, release_manager: User) -> None:
    first, _ = history(build, 2)

    with refused(StaleView, "v2 became Live"):
        edit_codepush(first.pk, actor=release_manager, is_enabled=False, expected_live="v1")
    edit_codepush(first.pk, actor=release_manager, is_enabled=False, expected_live="v2")


def test_an_edit_opened_before_the_live_one_was_disabled_is_refused(build: Build, release_manager: User) -> None:
    codepush = CodePushFactory(build=build, is_enabled=False)

    with refused(StaleView, "was disabled"):
        edit_codepush(codepush.pk, actor=release_manager, description="Fixed", expected_live="v1")
    edit_codepush(codepush.pk, actor=release_manager, description="Fixed", expected_live="")


def test_a_failed_audit_entry_takes_the_change_back(
    build: Build, release_manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    codepush = CodePushFactory(build=build)
    before = (codepush.description, revision(build))

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no audit")

    monkeypatch.setattr("builds.audit.record", fail)
    with pytest.raises(RuntimeError):
        edit_codepush(codepush.pk, actor=release_manager, description="Fixed")

    codepush.refresh_from_db()
    assert (codepush.description, revision(build)) == before
