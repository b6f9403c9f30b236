"""A deleted project is gone for people, programs and devices at once, and is back as it was when that is undone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import Http404
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from builds.access import get_build_by_id, get_deleted_project, get_project
from builds.actors import TokenLimit, TokenUser
from builds.errors import InvalidInput, NotAllowedNow
from builds.models import AuditEntry, Build, Project
from builds.services import create_project
from deployments import snapshot_shelf, snapshots
from deployments.selectors import find_live_codepush
from deployments.services.project_deletion import delete_project, restore_project
from release_api.tokens import create_token
from tests.deployments.pages import AsUser, assert_refused, text_of
from tests.deployments.stories import audited, history, refused, revision
from tests.devices import Device
from tests.factories import BuildFactory, WebhookFactory
from webhooks import outbox, payload
from webhooks.deliveries import attempt_delivery, list_due_ids
from webhooks.events import Event
from webhooks.models import Delivery

SLUG = "northwind-outdoor"
SETTINGS_URL = f"/projects/{SLUG}/settings/"


def _delete(project: Project, actor: User) -> Project:
    return delete_project(project.pk, actor=actor, confirmation=SLUG)


@pytest.fixture
def token_call(owner: User, project: Project) -> Callable[[str], Any]:
    """A call of the release API with a token of the project."""
    _, text = create_token(actor=owner, name="CI", role="admin", project=project)
    return lambda path: Client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {text}"})


def test_devices_get_no_more_at_once_and_get_it_again_when_it_is_undone(
    device: Device, build: Build, owner: User, django_capture_on_commit_callbacks: Any
) -> None:
    history(build, 2)
    assert device.check().update["label"] == "v2"
    before = revision(build)

    with django_capture_on_commit_callbacks(execute=True):
        _delete(build.project, owner)
    assert device.check().status == 404
    assert revision(build) == before + 1
    with django_capture_on_commit_callbacks(execute=True):
        restore_project(build.project_id, actor=owner)

    assert device.check().update["label"] == "v2"


def test_other_processes_find_it_by_its_stamp(device: Device, build: Build, owner: User) -> None:
    history(build, 1)
    assert device.check().update["label"] == "v1"
    _delete(build.project, owner)
    # Nobody told this one: the commit was in another process.
    snapshots.store.refresh_changed()

    assert device.check().status == 404


def test_a_restart_while_the_database_is_away_does_not_bring_it_back(
    device: Device, build: Build, owner: User, settings: Settings
) -> None:
    settings.KEEP_SNAPSHOTS = True
    history(build, 1)
    device.check()
    snapshot_shelf.write()
    assert snapshot_shelf.find(build.deployment_key) is not None
    _delete(build.project, owner)

    snapshots.store.refresh_changed()
    snapshot_shelf.write()

    assert snapshot_shelf.find(build.deployment_key) is None


def test_members_find_it_nowhere(as_user: AsUser, build: Build, owner: User) -> None:
    history(build, 1)
    client = as_user(owner)
    pages = (f"/projects/{SLUG}/", SETTINGS_URL, f"/projects/{SLUG}/builds/{build.pk}/")
    assert [client.get(page).status_code for page in pages] == [200] * 3

    _delete(build.project, owner)

    assert [client.get(page).status_code for page in pages] == [404] * 3
    for page in ("/deployments/", "/audit/", "/account/", f"/search/?q={build.pk}", "/search/?q=northwind"):
        text = text_of(client.get(page, follow=True))
        assert f"/projects/{SLUG}/" not in text, page
    with pytest.raises(Http404):
        get_build_by_id(owner, build.pk)


def test_its_token_reaches_nothing(token_call: Callable[[str], Any], build: Build, owner: User) -> None:
    paths = (f"/projects/{SLUG}/builds", f"/builds/{build.pk}", f"/builds/{build.pk}/codepushes")
    assert [token_call(path).status_code for path in paths] == [200] * 3
    assert token_call("/projects").json()["count"] == 1

    _delete(build.project, owner)

    assert [token_call(path).status_code for path in paths] == [404] * 3
    assert token_call("/projects").json()["count"] == 0
    with pytest.raises(InvalidInput, match="is not a member of"):
        create_token(actor=owner, name="new", role="viewer", project=build.project)
    restore_project(build.project_id, actor=owner)
    assert [token_call(path).status_code for path in paths] == [200] * 3


def test_its_webhooks_tell_nothing(build: Build, owner: User) -> None:
    webhook = WebhookFactory(project=build.project, events=[*Event])
    (codepush,) = history(build, 1)
    entry = AuditEntry.objects.create(project=build.project, action="codepush.succeeded", actor_name="x")
    (waiting,) = outbox.write([(webhook, payload.make_message(Event.CODEPUSH_SUCCEEDED, entry, codepush))])
    assert list_due_ids() == [waiting.pk]

    _delete(build.project, owner)
    outbox.write_deliveries(entry=entry)

    assert Delivery.objects.count() == 1
    assert list_due_ids() == []
    attempt_delivery(waiting.pk)
    assert not waiting.attempts.exists()
    restore_project(build.project_id, actor=owner)
    webhook.refresh_from_db()
    # What has waited for all that time must not pause it.
    assert webhook.active_since > waiting.created_at


def test_only_an_admin_deletes_it_and_only_by_its_address(
    as_user: AsUser, owner: User, release_manager: User, viewer: User, outsider: User, project: Project
) -> None:
    for user, status in ((release_manager, 403), (viewer, 403), (outsider, 404)):
        for method in ("get", "post"):
            assert getattr(as_user(user), method)(f"{SETTINGS_URL}delete/").status_code == status
        assert "Delete this project" not in text_of(as_user(user).get(SETTINGS_URL))
    client = as_user(owner)
    assert f"{SETTINGS_URL}delete/" in text_of(client.get(SETTINGS_URL))
    wrong = client.post(f"{SETTINGS_URL}delete/", {"confirmation": "Northwind Outdoor"})
    assert_refused(wrong, 422, "You typed 'Northwind Outdoor'; type northwind-outdoor to confirm.")
    project.refresh_from_db()
    assert project.deleted_at is None
    with refused(InvalidInput, "type northwind-outdoor", field="confirmation"):
        delete_project(project.pk, actor=owner, confirmation="")


def test_the_dialog_says_what_will_happen(as_user: AsUser, owner: User, viewer: User, build: Build) -> None:
    BuildFactory(project=build.project)
    page = text_of(as_user(owner).get(f"{SETTINGS_URL}delete/"))
    assert "devices on 2 builds get no more updates from it" in page
    assert "members find it nowhere any more" in page
    assert "northwind-outdoor</span> to confirm" in page


def test_its_admins_undo_it_from_the_list_of_projects(
    as_user: AsUser, owner: User, viewer: User, outsider: User, project: Project
) -> None:
    client = as_user(owner)
    with audited("project.deleted"):
        done = client.post(f"{SETTINGS_URL}delete/", {"confirmation": SLUG})
    assert (done.status_code, done.headers["Location"]) == (303, "/projects/")
    Project.objects.filter(pk=project.pk).update(deleted_at=timezone.now() - timedelta(days=27, hours=1))
    page = text_of(client.get("/projects/"))
    assert "Northwind Outdoor is deleted. Below you can undo it for 30 days." in page
    assert "Recently deleted" in page
    assert "3 days" in page
    assert f"/projects/{SLUG}/restore/" in page
    for other in (viewer, outsider):
        assert "Recently deleted" not in text_of(as_user(other).get("/projects/"))
        assert as_user(other).post(f"/projects/{SLUG}/restore/").status_code == 404

    with audited("project.restored"):
        done = client.post(f"/projects/{SLUG}/restore/")

    assert (done.status_code, done.headers["Location"]) == (303, f"/projects/{SLUG}/")
    assert "Northwind Outdoor is back, as it was." in text_of(client.get(f"/projects/{SLUG}/"))
    assert get_project(viewer, SLUG).project == project


def test_after_thirty_days_nobody_has_it_back(as_user: AsUser, owner: User, project: Project) -> None:
    _delete(project, owner)
    Project.objects.update(deleted_at=timezone.now() - timedelta(days=30, seconds=1))

    assert as_user(owner).get(f"/projects/{SLUG}/restore/").status_code == 404
    assert "Recently deleted" not in text_of(as_user(owner).get("/projects/"))
    with refused(NotAllowedNow, "Northwind Outdoor was deleted more than 30 days ago"):
        restore_project(project.pk, actor=owner)


def test_twice_is_refused_in_words(owner: User, project: Project) -> None:
    with refused(NotAllowedNow, "Northwind Outdoor is not deleted."):
        restore_project(project.pk, actor=owner)
    _delete(project, owner)
    with refused(NotAllowedNow, "Northwind Outdoor is deleted already."):
        _delete(project, owner)


def test_its_address_is_taken_for_as_long_as_it_can_be_had_back(owner: User, outsider: User, project: Project) -> None:
    _delete(project, owner)
    with pytest.raises(InvalidInput, match="or by one that was deleted in the last 30 days"):
        create_project(actor=outsider, name="Mine", slug=SLUG)


def test_it_can_be_had_back_by_no_program(project: Project, owner: User) -> None:
    _delete(project, owner)
    assert get_deleted_project(owner, SLUG) == project
    program = TokenUser.objects.get(pk=owner.pk)
    program.limit = TokenLimit(1, "CI", "admin", None)
    with pytest.raises(Http404):
        get_deleted_project(program, SLUG)


def test_what_a_worker_was_doing_is_finished_and_shown_after_the_undo(build: Build, owner: User) -> None:
    _delete(build.project, owner)
    history(build, 1)
    restore_project(build.project_id, actor=owner)
    assert find_live_codepush(build) is not None


def test_support_sees_it_and_has_it_back(support: Client, owner: User, project: Project) -> None:
    _delete(project, owner)
    url = "/admin/builds/project/"
    assert "Northwind Outdoor" in text_of(support.get(f"{url}?deleted_at__isempty=0"))

    answer = support.post(url, {"action": "restore_deleted_project", "_selected_action": [project.pk]}, follow=True)

    assert "Northwind Outdoor is back, as it was." in text_of(answer)
    assert AuditEntry.objects.filter(action="project.restored").count() == 1
