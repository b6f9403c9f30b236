import pytest
from django.contrib.auth.models import User

from builds.errors import InvalidInput, NotAllowedNow, StaleView
from builds.models import AuditEntry, Build
from deployments import tasks
from deployments.models import CodePush
from deployments.services.republishing import promote, roll_back
from tests.deployments.stories import audited, history, live_label, refused, revision
from tests.factories import CodePushFactory


def test_a_success_that_is_not_live_becomes_live_under_the_next_label(build: Build, release_manager: User) -> None:
    first, _ = history(build, 2)

    with audited("codepush.promoted"):
        copy = promote(first.pk, actor=release_manager, reason="Was fine")

    copy = CodePush.objects.get(pk=copy.pk)
    assert (copy.label, copy.origin, copy.source, copy.bundle) == ("v3", "promote", first, first.bundle)
    assert (copy.status, copy.reason, copy.created_by) == ("success", "Was fine", release_manager)
    assert live_label(build) == "v3"


def test_the_audit_log_tells_what_was_promoted(build: Build, release_manager: User) -> None:
    first, _ = history(build, 2)

    promote(first.pk, actor=release_manager)

    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after) == ({"live": "v2"}, {"live": "v3", "references": "v1"})


def test_the_build_is_stamped_once(build: Build, release_manager: User) -> None:
    first, _ = history(build, 2)
    before = revision(build)

    promote(first.pk, actor=release_manager)

    assert revision(build) == before + 1


def test_disabled_and_rollout_are_not_copied_but_mandatory_is(build: Build, release_manager: User) -> None:
    source = CodePushFactory(build=build, is_enabled=False, is_mandatory=True, rollout_percent=10)
    CodePushFactory(build=build)

    copy = promote(source.pk, actor=release_manager)

    assert (copy.is_enabled, copy.is_mandatory, copy.rollout_percent) == (True, True, 100)


def test_a_rollout_that_was_asked_for_is_used(build: Build, release_manager: User) -> None:
    first, _ = history(build, 2)

    assert promote(first.pk, actor=release_manager, rollout_percent=30).rollout_percent == 30


def test_a_newer_one_that_was_disabled_can_be_promoted(build: Build, release_manager: User) -> None:
    history(build, 1)
    disabled = CodePushFactory(build=build, is_enabled=False)
    assert live_label(build) == "v1"

    promote(disabled.pk, actor=release_manager)

    assert live_label(build) == "v3"


def test_with_none_live_a_disabled_one_can_be_promoted(build: Build, release_manager: User) -> None:
    codepush = CodePushFactory(build=build, is_enabled=False)

    promote(codepush.pk, actor=release_manager, expected_live="")

    assert live_label(build) == "v2"
    assert AuditEntry.objects.get().before == {"live": None}


def test_the_note_of_a_rollback_gives_way_to_that_of_the_promotion(build: Build, release_manager: User) -> None:
    *_, live = history(build, 2)
    copy = roll_back(live.pk, to_label="v1", actor=release_manager)
    CodePushFactory(build=build)

    assert promote(copy.pk, actor=release_manager).description == "Change 1 (Promotes v3)"


def test_the_live_one_cannot_be_promoted(build: Build, release_manager: User) -> None:
    *_, live = history(build, 2)

    with refused(NotAllowedNow, "v2 is Live already"):
        promote(live.pk, actor=release_manager)


@pytest.mark.parametrize("status", ["pending", "processing", "failed", "canceled"])
def test_what_has_not_succeeded_cannot_be_promoted(build: Build, release_manager: User, status: str) -> None:
    codepush = CodePushFactory(build=build, status=status)

    with refused(NotAllowedNow, codepush.deployment_id, status):
        promote(codepush.pk, actor=release_manager)


def test_a_dialog_opened_under_another_live_label_is_refused(build: Build, release_manager: User) -> None:
    first, *_ = history(build, 3)

    with refused(StaleView, "v3 became Live"):
        promote(first.pk, actor=release_manager, expected_live="v2")
    promote(first.pk, actor=release_manager, expected_live="v3")


def test_a_build_with_force_update_takes_no_promotion(replaced_build: Build, release_manager: User) -> None:
    first, _ = history(replaced_build, 2)
    Build.objects.filter(pk=replaced_build.pk).update(is_force_updated=True)

    with refused(NotAllowedNow, "Force Update"):
        promote(first.pk, actor=release_manager)


@pytest.mark.parametrize("rollout_percent", [0, 101])
def test_a_rollout_outside_1_to_100_is_refused(build: Build, release_manager: User, rollout_percent: int) -> None:
    first, _ = history(build, 2)

    with refused(InvalidInput, str(rollout_percent), field="rollout_percent"):
        promote(first.pk, actor=release_manager, rollout_percent=rollout_percent)


def test_it_hands_nothing_to_the_broker(build: Build, release_manager: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("A promotion depends on no worker.")

    monkeypatch.setattr(tasks.process_codepush, "apply_async", refuse)
    first, _ = history(build, 2)

    assert promote(first.pk, actor=release_manager).label == "v3"
