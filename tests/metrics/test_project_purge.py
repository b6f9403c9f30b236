"""A month after a project was deleted nothing of it is left but its audit log and what that names."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from builds.models import AuditEntry, Build, Membership, Project
from builds.services import create_project
from deployments import snapshots
from deployments.models import Bundle, ChangeRequest, CodePush, Upload
from deployments.services.leftovers import delete_leftover_bundles, delete_leftover_uploads
from deployments.services.project_deletion import delete_project
from deployments.services.republishing import roll_back
from deployments.services.uploads import stage_upload
from metrics import project_purge, tasks
from metrics.aggregation import apply_waiting_reports
from metrics.models import BuildTotals, Device, DeviceFact, ReleaseCounter, ReleaseHour
from metrics.project_purge import purge_deleted_projects
from metrics.selectors import measure_builds
from release_api.models import ApiToken
from release_api.tokens import create_token
from tests.deployments.stories import release, small_archive, stored_files
from tests.devices import Device as Phone
from tests.factories import BuildFactory, WebhookFactory
from webhooks.models import Webhook

NUMBERS = (Device, DeviceFact, BuildTotals, ReleaseCounter, ReleaseHour)


def _fill(build: Build, owner: User) -> None:
    """Two updates, a rollback, an upload and a change that wait, three phones that told of them, a token, a webhook."""
    release(build, owner, small_archive("1"))
    live = release(build, owner, small_archive("2"))
    roll_back(live.pk, to_label="v1", actor=owner)
    stage_upload(build, actor=owner, file=small_archive("3"), file_name="3.zip")
    for number in range(3):
        Phone(build.deployment_key, client_unique_id=f"phone-{number}", label="v1").report_deploy()
    apply_waiting_reports()
    ChangeRequest.objects.create(
        build=build, codepush=live, kind="edit", requested_by=owner, expires_at=timezone.now() + timedelta(days=1)
    )
    create_token(actor=owner, name="CI", role="admin", project=build.project)
    WebhookFactory(project=build.project)


def _delete_long_ago(project: Project, owner: User) -> None:
    delete_project(project.pk, actor=owner, confirmation=project.slug)
    Project.objects.filter(pk=project.pk).update(deleted_at=timezone.now() - timedelta(days=30, seconds=1))


@pytest.fixture
def purged(build: Build, owner: User) -> Build:
    _fill(build, owner)
    _delete_long_ago(build.project, owner)
    return build


def test_rows_and_then_files_are_gone_and_the_audit_log_is_not(
    purged: Build, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_purge, "_DEVICES_PER_BATCH", 2)
    monkeypatch.setattr(project_purge, "_CODEPUSHES_PER_BATCH", 2)
    entries = list(AuditEntry.objects.order_by("pk").values())

    tasks.purge_deleted_projects()

    left = [*NUMBERS, ChangeRequest, CodePush, Upload, ApiToken, Webhook]
    assert [table.__name__ for table in left if table.objects.exists()] == []  # type: ignore[attr-defined]
    assert not Membership.objects.filter(project=purged.project).exists()
    assert list(AuditEntry.objects.order_by("pk").values())[:-1] == entries
    newest = AuditEntry.objects.latest("pk")
    assert (newest.action, newest.actor_name, newest.build) == ("project.purged", "worker", None)
    later = timezone.now() + timedelta(days=2)
    delete_leftover_uploads(later)
    delete_leftover_bundles(later)
    delete_leftover_bundles(later + timedelta(days=8))
    assert stored_files() == set()
    assert not Bundle.objects.exists()


def test_another_project_with_the_same_bundle_keeps_it(build: Build, outsider: User, owner: User) -> None:
    elsewhere = BuildFactory(project=Project.objects.get(slug="elsewhere"))
    for each, person in ((build, owner), (elsewhere, outsider)):
        release(each, person, small_archive())
        Phone(each.deployment_key, label="v1").report_deploy()
    apply_waiting_reports()
    _delete_long_ago(build.project, owner)

    purge_deleted_projects(timezone.now())
    delete_leftover_bundles(timezone.now())
    delete_leftover_bundles(timezone.now() + timedelta(days=8))

    assert len(stored_files()) == 1
    snapshots.store.clear()
    assert Phone(elsewhere.deployment_key).check().update["label"] == "v1"
    assert measure_builds([elsewhere.deployment_key])[elsewhere.deployment_key].total_devices == 1


def test_before_the_month_is_over_nothing_goes(build: Build, owner: User) -> None:
    _fill(build, owner)
    delete_project(build.project_id, actor=owner, confirmation=build.project.slug)

    assert purge_deleted_projects(timezone.now() + timedelta(days=29, hours=23)) == 0
    assert (CodePush.objects.count(), Device.objects.count()) == (3, 3)


def test_it_happens_once(purged: Build) -> None:
    assert [purge_deleted_projects(timezone.now()) for _ in range(2)] == [1, 0]


def test_a_worker_that_dies_in_between_is_followed_by_another(purged: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(project_purge, "_delete_codepushes", lambda build_id: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            purge_deleted_projects(timezone.now())
    assert not Device.objects.exists()
    assert CodePush.objects.exists()

    assert purge_deleted_projects(timezone.now()) == 1
    assert not CodePush.objects.exists()


def test_its_address_is_free_and_its_deployment_keys_are_not(purged: Build, outsider: User) -> None:
    purge_deleted_projects(timezone.now())

    assert create_project(actor=outsider, name="Mine", slug="northwind-outdoor").slug == "northwind-outdoor"
    assert Build.objects.filter(deployment_key=purged.deployment_key).exists()


def test_reports_count_while_it_can_be_had_back_and_not_afterwards(build: Build, owner: User) -> None:
    phones = [Phone(build.deployment_key, label="v1", client_unique_id=f"phone-{number}") for number in range(2)]
    release(build, owner, small_archive())
    delete_project(build.project_id, actor=owner, confirmation=build.project.slug)
    phones[0].report_deploy()
    apply_waiting_reports()
    assert Device.objects.count() == 1
    Project.objects.filter(pk=build.project_id).update(deleted_at=timezone.now() - timedelta(days=31))

    phones[1].report_deploy()
    apply_waiting_reports()

    assert Device.objects.count() == 1
