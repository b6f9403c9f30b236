import pytest
from django.contrib.auth.models import User
from django.db import transaction

from builds.errors import InvalidInput, NotAllowedNow, StaleView
from builds.models import AuditEntry, Build
from deployments import tasks
from deployments.models import CodePush
from deployments.services.codepushes import edit_codepush
from deployments.services.republishing import roll_back
from tests.deployments.stories import audited, history, live_label, refused, revision, stored_files
from tests.factories import BuildFactory, CodePushFactory


def test_the_earlier_bundle_is_live_under_the_next_label(build: Build, release_manager: User) -> None:
    first, _, live = history(build, 3)

    with audited("codepush.rolled_back"):
        copy = roll_back(live.pk, to_label="v1", actor=release_manager, reason="Crash at start")

    copy = CodePush.objects.get(pk=copy.pk)
    assert (copy.label, copy.origin, copy.source, copy.bundle) == ("v4", "rollback", first, first.bundle)
    assert (copy.status, copy.duration_ms, copy.created_by, copy.reason) == (
        "success",
        0,
        release_manager,
        "Crash at start",
    )
    assert copy.deployment_id not in {first.deployment_id, live.deployment_id}
    assert live_label(build) == "v4"


def test_the_source_and_the_replaced_one_stay_as_they_were(build: Build, release_manager: User) -> None:
    history(build, 2)
    before = list(CodePush.objects.order_by("pk").values())

    roll_back(before[1]["id"], to_label="v1", actor=release_manager)

    assert list(CodePush.objects.order_by("pk").values())[:2] == before


def test_the_audit_log_tells_from_where_to_where(build: Build, release_manager: User) -> None:
    *_, live = history(build, 2)

    copy = roll_back(live.pk, to_label="v1", actor=release_manager, reason="Crash at start")

    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after) == ({"live": "v2"}, {"live": "v3", "references": "v1"})
    assert (entry.actor, entry.reason, entry.deployment_id) == (release_manager, "Crash at start", copy.deployment_id)


def test_the_build_is_stamped_once(build: Build, release_manager: User) -> None:
    *_, live = history(build, 2)
    before = revision(build)

    roll_back(live.pk, to_label="v1", actor=release_manager)

    assert revision(build) == before + 1


def test_the_rollout_starts_at_100_whatever_the_source_had(build: Build, release_manager: User) -> None:
    CodePushFactory(build=build, rollout_percent=10)
    live = CodePushFactory(build=build, rollout_percent=20)

    assert roll_back(live.pk, to_label="v1", actor=release_manager).rollout_percent == 100


def test_a_rollout_that_was_asked_for_is_used(build: Build, release_manager: User) -> None:
    *_, live = history(build, 2)

    assert roll_back(live.pk, to_label="v1", actor=release_manager, rollout_percent=5).rollout_percent == 5


def test_a_disabled_source_is_published_enabled(build: Build, release_manager: User) -> None:
    source = CodePushFactory(build=build, is_enabled=False)
    live = CodePushFactory(build=build)

    copy = roll_back(live.pk, to_label="v1", actor=release_manager)

    source.refresh_from_db()
    assert (copy.is_enabled, source.is_enabled, live_label(build)) == (True, False, "v3")


@pytest.mark.parametrize("is_mandatory", [True, False])
def test_mandatory_is_kept_unless_told(build: Build, release_manager: User, is_mandatory: bool) -> None:
    CodePushFactory(build=build, is_mandatory=is_mandatory)
    live = CodePushFactory(build=build)

    kept = roll_back(live.pk, to_label="v1", actor=release_manager)
    told = roll_back(kept.pk, to_label="v1", actor=release_manager, is_mandatory=not is_mandatory)

    assert (kept.is_mandatory, told.is_mandatory) == (is_mandatory, not is_mandatory)


def test_the_description_carries_a_note(build: Build, release_manager: User) -> None:
    *_, live = history(build, 2)

    assert roll_back(live.pk, to_label="v1", actor=release_manager).description == "Change 1 (Rollback to v1)"


def test_notes_do_not_pile_up(build: Build, release_manager: User) -> None:
    *_, live = history(build, 2)

    copy = roll_back(live.pk, to_label="v1", actor=release_manager)
    newer = CodePushFactory(build=build)
    again = roll_back(newer.pk, to_label=copy.label, actor=release_manager)

    assert again.description == "Change 1 (Rollback to v3)"


def test_the_note_stands_alone_where_there_was_no_description(build: Build, release_manager: User) -> None:
    CodePushFactory(build=build, description="")
    live = CodePushFactory(build=build)

    copy = roll_back(live.pk, to_label="v1", actor=release_manager)
    newer = CodePushFactory(build=build)
    again = roll_back(newer.pk, to_label=copy.label, actor=release_manager)

    assert (copy.description, again.description) == ("(Rollback to v1)", "(Rollback to v3)")


def test_a_description_at_the_limit_is_cut_to_make_room_for_the_note(build: Build, release_manager: User) -> None:
    CodePushFactory(build=build, description="x" * 2000)
    live = CodePushFactory(build=build)

    description = roll_back(live.pk, to_label="v1", actor=release_manager).description

    assert len(description) == 2000
    assert description.endswith("x (Rollback to v1)")


def test_a_rollback_can_be_rolled_back(build: Build, release_manager: User) -> None:
    _, second = history(build, 2)
    copy = roll_back(second.pk, to_label="v1", actor=release_manager)

    back = roll_back(copy.pk, to_label="v2", actor=release_manager)

    assert (back.label, back.bundle) == ("v4", second.bundle)


def test_it_starts_from_the_live_card_only(build: Build, release_manager: User) -> None:
    _, second, _ = history(build, 3)

    with refused(NotAllowedNow, "v2 is not Live", "v3"):
        roll_back(second.pk, to_label="v1", actor=release_manager)


def test_it_goes_from_the_one_that_became_live_after_a_disabling(build: Build, release_manager: User) -> None:
    _, second, third = history(build, 3)
    edit_codepush(third.pk, actor=release_manager, is_enabled=False)

    copy = roll_back(second.pk, to_label="v1", actor=release_manager)

    assert (copy.label, live_label(build)) == ("v4", "v4")


def test_without_a_live_one_there_is_nothing_to_roll_back(build: Build, release_manager: User) -> None:
    _, second = history(build, 2)
    CodePush.objects.update(is_enabled=False)

    with refused(NotAllowedNow, "Live: none"):
        roll_back(second.pk, to_label="v1", actor=release_manager)


@pytest.mark.parametrize("label", ["v9", "v0", "1", "", "v", "v-1", "v1.5", "vv1", "v²", "V1", "v99999999999"])
def test_a_label_that_does_not_exist_is_refused(build: Build, release_manager: User, label: str) -> None:
    *_, live = history(build, 2)

    with refused(InvalidInput, repr(label), field="to"):
        roll_back(live.pk, to_label=label, actor=release_manager)


@pytest.mark.parametrize("label", ["v2", "v3"])
def test_only_an_earlier_success_can_be_gone_back_to(build: Build, release_manager: User, label: str) -> None:
    _, second, third = history(build, 3)
    edit_codepush(third.pk, actor=release_manager, is_enabled=False)

    with refused(InvalidInput, f"{label} is not earlier than v2", field="to"):
        roll_back(second.pk, to_label=label, actor=release_manager)


def test_a_label_of_another_build_is_no_label(build: Build, release_manager: User) -> None:
    history(BuildFactory(project=build.project, store_version="2.0.0"), 1)
    live = CodePushFactory(build=build, label_number=2)

    with refused(InvalidInput, "'v1'", field="to"):
        roll_back(live.pk, to_label="v1", actor=release_manager)


def test_a_dialog_opened_under_another_live_label_is_refused(build: Build, release_manager: User) -> None:
    *_, live = history(build, 3)

    with refused(StaleView, "v3 became Live"):
        roll_back(live.pk, to_label="v1", actor=release_manager, expected_live="v2")
    roll_back(live.pk, to_label="v1", actor=release_manager, expected_live="v3")


def test_a_build_with_force_update_is_not_rolled_back(replaced_build: Build, release_manager: User) -> None:
    *_, live = history(replaced_build, 2)
    Build.objects.filter(pk=replaced_build.pk).update(is_force_updated=True)

    with refused(NotAllowedNow, "Force Update"):
        roll_back(live.pk, to_label="v1", actor=release_manager)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"rollout_percent": 0}, "rollout_percent"),
        ({"rollout_percent": 101}, "rollout_percent"),
        ({"reason": "x" * 281}, "reason"),
        ({"reason": "a\0b"}, "reason"),
    ],
)
def test_a_value_that_cannot_be_taken_is_refused(
    build: Build, release_manager: User, values: dict[str, int | str], field: str
) -> None:
    *_, live = history(build, 2)

    with refused(InvalidInput, field=field):
        roll_back(live.pk, to_label="v1", actor=release_manager, **values)  # type: ignore[arg-type]


@pytest.mark.django_db(transaction=True)
def test_it_needs_no_worker_no_broker_and_no_storage(
    build: Build, release_manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as outage:
        outage.setattr(tasks.process_codepush, "apply_async", refuse)
        outage.setattr("deployments.bundle_storage.bundle_storage", refuse)
        *_, live = history(build, 2)

        roll_back(live.pk, to_label="v1", actor=release_manager)

    assert live_label(build) == "v3"
    assert stored_files() == set()


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_rolls_back_takes_the_label_back(build: Build, release_manager: User) -> None:
    *_, live = history(build, 2)
    with transaction.atomic():
        roll_back(live.pk, to_label="v1", actor=release_manager)
        transaction.set_rollback(True)

    assert (live_label(build), AuditEntry.objects.count()) == ("v2", 0)
    assert roll_back(live.pk, to_label="v1", actor=release_manager).label == "v3"
