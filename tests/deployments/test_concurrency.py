"""People, CI and workers who act at the same moment, with real commits: nothing is doubled and nothing lost."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connections

from builds.errors import DomainError, NotAllowedNow, StaleView
from builds.idempotency import KeyedRequest, do_once
from builds.membership import change_role, remove_member
from builds.models import AuditEntry, Build, Project, Role
from builds.services import create_project
from deployments.models import Bundle, CodePush
from deployments.services.attempt import Attempt
from deployments.services.build_status import set_store_status
from deployments.services.codepushes import cancel, create_codepush, edit_codepush
from deployments.services.force_update import apply_force_update
from deployments.services.processing import process_codepush
from deployments.services.republishing import promote, roll_back
from deployments.services.uploads import UploadGone, stage_upload
from tests.deployments.stories import history, live_label, revision, small_archive, stored_files
from tests.factories import BuildFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 5


def at_once(*actions: Callable[[], object]) -> list[object]:
    """What each action returned, or the refusal it raised; they start together, each with a connection of its own."""
    start = threading.Barrier(len(actions))

    def act(action: Callable[[], object]) -> object:
        try:
            start.wait(timeout=10)
            return action()
        except DomainError as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


def _labels(build: Build) -> list[int | None]:
    return list(build.codepushes.successful().order_by("label_number").values_list("label_number", flat=True))


def _kinds(outcomes: list[object]) -> Counter[str]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


def test_of_several_rollbacks_from_the_same_page_one_happens(build: Build, release_manager: User) -> None:
    *_, live = history(build, 2)
    before = revision(build)

    outcomes = at_once(*[lambda: roll_back(live.pk, to_label="v1", actor=release_manager, expected_live="v2")] * PEOPLE)

    assert _kinds(outcomes) == {"CodePush": 1, StaleView.__name__: PEOPLE - 1}
    assert {o.message for o in outcomes if isinstance(o, StaleView)} == {
        "v3 became Live while this was open. Review again."
    }
    assert (_labels(build), live_label(build)) == ([1, 2, 3], "v3")
    assert (AuditEntry.objects.count(), revision(build)) == (1, before + 1)


def test_of_several_forms_with_the_same_uploaded_file_one_creates(build: Build, release_manager: User) -> None:
    file = small_archive()
    upload = stage_upload(build, actor=release_manager, file=file, file_name="a.zip")

    outcomes = at_once(*[lambda: create_codepush(build.pk, actor=release_manager, upload=upload)] * PEOPLE)

    assert _kinds(outcomes) == {"CodePush": 1, UploadGone.__name__: PEOPLE - 1}
    assert (CodePush.objects.count(), AuditEntry.objects.count(), len(stored_files())) == (1, 1, 1)


def test_of_several_rollbacks_that_do_not_say_what_they_saw_each_gets_its_label(
    build: Build, release_manager: User
) -> None:
    *_, live = history(build, 2)

    outcomes = at_once(*[lambda: roll_back(live.pk, to_label="v1", actor=release_manager)] * PEOPLE)

    assert _kinds(outcomes) == {"CodePush": PEOPLE}
    assert _labels(build) == list(range(1, PEOPLE + 3))
    assert live_label(build) == f"v{PEOPLE + 2}"


def test_promotions_at_once_get_consecutive_labels(build: Build, release_manager: User) -> None:
    codepushes = history(build, PEOPLE + 1)[:-1]
    before = revision(build)

    outcomes = at_once(*[lambda c=c: promote(c.pk, actor=release_manager) for c in codepushes])

    assert _kinds(outcomes) == {"CodePush": PEOPLE}
    assert _labels(build) == list(range(1, 2 * PEOPLE + 2))
    assert live_label(build) == f"v{2 * PEOPLE + 1}"
    assert (AuditEntry.objects.count(), revision(build)) == (PEOPLE, before + PEOPLE)


def test_a_rollback_and_the_disabling_of_the_same_live_one_leave_one_story(build: Build, release_manager: User) -> None:
    *_, live = history(build, 3)

    outcomes = at_once(
        lambda: roll_back(live.pk, to_label="v1", actor=release_manager, expected_live="v3"),
        lambda: edit_codepush(live.pk, actor=release_manager, is_enabled=False, expected_live="v3"),
    )

    assert _kinds(outcomes) == {"CodePush": 1, StaleView.__name__: 1}
    assert live_label(build) == ("v4" if isinstance(outcomes[0], CodePush) else "v2")


def test_uploads_published_at_once_get_labels_in_the_order_of_success(build: Build, release_manager: User) -> None:
    waiting = [
        create_codepush(build.pk, actor=release_manager, upload=small_archive(f"run({number})")) for number in range(3)
    ]

    at_once(*[lambda c=c: process_codepush(c.pk) for c in waiting])

    assert _labels(build) == [1, 2, 3]
    by_label = build.codepushes.order_by("label_number").values_list("deployment_id", flat=True)
    succeeded = AuditEntry.objects.filter(action="codepush.succeeded").order_by("pk")
    assert list(by_label) == list(succeeded.values_list("deployment_id", flat=True))


def test_a_promotion_and_an_upload_at_once_both_get_a_label(build: Build, release_manager: User) -> None:
    first, _ = history(build, 2)
    waiting = create_codepush(build.pk, actor=release_manager, upload=small_archive())

    at_once(lambda: process_codepush(waiting.pk), lambda: promote(first.pk, actor=release_manager))

    assert _labels(build) == [1, 2, 3, 4]


def test_workers_told_of_the_same_one_claim_it_once(build: Build, release_manager: User) -> None:
    waiting = create_codepush(build.pk, actor=release_manager, upload=small_archive())

    claims = at_once(*[lambda: Attempt.claim(waiting.pk)] * PEOPLE)

    assert _kinds(claims) == {"Attempt": 1, "NoneType": PEOPLE - 1}
    assert CodePush.objects.get(pk=waiting.pk).attempt_count == 1


def test_the_same_content_for_several_builds_at_once_is_kept_once(project: Project, release_manager: User) -> None:
    waiting = [
        create_codepush(BuildFactory(project=project).pk, actor=release_manager, upload=small_archive())
        for _ in range(3)
    ]

    at_once(*[lambda c=c: process_codepush(c.pk) for c in waiting])

    assert [c.label for c in CodePush.objects.all()] == ["v1", "v1", "v1"]
    assert Bundle.objects.count() == 1


def test_canceling_and_publishing_at_once_end_in_one_of_the_two(build: Build, release_manager: User) -> None:
    waiting = create_codepush(build.pk, actor=release_manager, upload=small_archive())

    _, canceled = at_once(
        lambda: process_codepush(waiting.pk),
        lambda: cancel(waiting.pk, actor=release_manager),
    )

    ended = CodePush.objects.get(pk=waiting.pk)
    if isinstance(canceled, CodePush):
        assert (ended.status, _labels(build)) == ("canceled", [])
    else:
        assert (ended.status, _labels(build), isinstance(canceled, NotAllowedNow)) == ("success", [1], True)


def test_builds_marked_live_at_once_leave_exactly_one(project: Project, owner: User) -> None:
    builds = [BuildFactory(project=project, store_version=f"3.{minor}.0") for minor in range(PEOPLE)]

    outcomes = at_once(*[lambda b=b: set_store_status(b.pk, actor=owner, store_status="live") for b in builds])

    assert _kinds(outcomes) == {"Build": PEOPLE}
    assert Build.objects.store_live().count() == 1
    assert Build.objects.filter(store_status="approved").count() == PEOPLE - 1
    assert AuditEntry.objects.filter(action="build.store_status_demoted").count() == PEOPLE - 1
    assert [revision(build) for build in builds] == [1 + PEOPLE] * PEOPLE


def test_force_update_never_meets_a_store_without_a_live_build(replaced_build: Build, owner: User) -> None:
    live = Build.objects.store_live().get()

    forced, _ = at_once(
        lambda: apply_force_update(replaced_build.pk, actor=owner),
        lambda: set_store_status(live.pk, actor=owner, store_status="none"),
    )

    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    if isinstance(forced, NotAllowedNow):
        assert actions == ["build.store_status_changed"]
    else:
        assert actions == ["build.force_update_applied", "build.store_status_changed"]


def test_a_rollback_and_a_force_update_at_once_do_not_wait_for_each_other_for_ever(
    replaced_build: Build, owner: User
) -> None:
    *_, live = history(replaced_build, 2)

    outcomes = at_once(
        lambda: roll_back(live.pk, to_label="v1", actor=owner),
        lambda: apply_force_update(replaced_build.pk, actor=owner),
        lambda: set_store_status(replaced_build.pk, actor=owner, store_status="live"),
    )

    assert _kinds(outcomes)["Build"] >= 1
    stored = Build.objects.get(pk=replaced_build.pk)
    assert (stored.store_status, stored.is_force_updated) == ("live", False)


def test_projects_created_at_once_with_one_name_give_one_project(outsider: User) -> None:
    outcomes = at_once(*[lambda: create_project(actor=outsider, name="Contoso")] * PEOPLE)

    assert _kinds(outcomes) == {"Project": 1, "AlreadyTaken": PEOPLE - 1}


def test_two_admins_who_remove_each_other_leave_one(project: Project, owner: User) -> None:
    other = UserFactory(username="adam")
    theirs = MembershipFactory(project=project, user=other, role=Role.ADMIN)
    mine = owner.memberships.get()

    outcomes = at_once(
        lambda: remove_member(theirs.pk, actor=owner),
        lambda: remove_member(mine.pk, actor=other),
        lambda: change_role(mine.pk, actor=owner, role=Role.VIEWER),
    )

    assert project.memberships.filter(role=Role.ADMIN).count() == 1
    assert _kinds(outcomes)["NotAllowedNow"] >= 1


def test_of_several_requests_with_one_key_one_is_done_and_all_are_answered(
    project: Project, release_manager: User
) -> None:
    request = KeyedRequest(release_manager, "/projects/new/", "one-key", "the same")

    def create() -> str:
        return create_project(actor=release_manager, name="Kestrel").slug

    outcomes = at_once(*[lambda: do_once(request, create)] * PEOPLE)

    assert outcomes == ["kestrel"] * PEOPLE
    assert AuditEntry.objects.count() == 1
