"""The side column of Build Detail: the one reason, the key, what happened in the store, whom to ask."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from builds.models import AuditAction, AuditEntry, Build
from deployments.services.build_status import set_store_status
from deployments.services.force_update import apply_force_update, lift_force_update
from tests.deployments.pages import AsUser, build_url, text_of
from tests.factories import BuildFactory, CodePushFactory


def _side(client: Client, build: Build) -> Any:
    return client.get(build_url(build)).context["page"].side


def _reveals(build: Build) -> list[str]:
    entries = AuditEntry.objects.filter(build=build, action=AuditAction.DEPLOYMENT_KEY_REVEALED)
    return list(entries.values_list("actor_name", flat=True))


def test_one_reason_at_a_time(as_user: AsUser, viewer: User, replaced_build: Build) -> None:
    """Whatever else is wrong, the first thing to mend is named, and the list shows all of it."""
    client = as_user(viewer)
    Build.objects.filter(pk=replaced_build.pk).update(is_force_updated=True)
    side = _side(client, replaced_build)
    assert side.reason.startswith("Force Update is applied")
    assert [condition.is_met for condition in side.conditions] == [True, False, False]
    Build.objects.filter(pk=replaced_build.pk).update(is_force_updated=False)
    assert _side(client, replaced_build).reason.startswith("No successful update is enabled")
    CodePushFactory(build=replaced_build)
    assert _side(client, replaced_build).reason == ""


def test_a_failed_build_says_that_it_stays_so(as_user: AsUser, viewer: User) -> None:
    build = BuildFactory(project__name="Northwind", status="failed")
    build.project.memberships.create(user=viewer, role="viewer")
    page = text_of(as_user(viewer).get(build_url(build)))
    assert "This build failed, so it can't receive CodePush. Register a new one." in page
    assert "Only a successful build can be in the store." in page


def test_the_key_is_not_in_the_page_until_it_is_asked_for_and_that_is_audited(
    as_user: AsUser, viewer: User, build: Build
) -> None:
    client, address = as_user(viewer), build_url(build, "key/")
    for page in (client.get(build_url(build)), client.get(address)):
        assert build.deployment_key not in text_of(page)
        assert f"{build.deployment_key[:4]}••••••••{build.deployment_key[-4:]}" in text_of(page)
    assert _reveals(build) == []
    response = client.post(address)
    assert build.deployment_key in text_of(response)
    assert "no-store" in response.headers["Cache-Control"]
    assert _reveals(build) == ["Vera Kaya"]


def test_showing_the_key_is_no_change_to_devices(as_user: AsUser, viewer: User, build: Build) -> None:
    as_user(viewer).post(build_url(build, "key/"))
    assert Build.objects.get(pk=build.pk).revision == build.revision


def test_asked_for_by_a_script_the_key_comes_as_a_part_of_the_page(
    as_user: AsUser, viewer: User, build: Build, client: Client
) -> None:
    fragment = text_of(as_user(viewer).post(build_url(build, "key/"), headers={"HX-Request": "true"}))
    assert build.deployment_key in fragment
    assert "<html" not in fragment
    ended = client.post(build_url(build, "key/"), headers={"HX-Request": "true"})
    assert (ended.status_code, ended.headers["HX-Refresh"]) == (401, "true")


def test_what_happened_in_the_store_is_told_newest_first(
    as_user: AsUser, viewer: User, release_manager: User, build: Build
) -> None:
    older = BuildFactory(project=build.project, store_version="2.9.0")
    for which, status in ((older, "live"), (build, "approved"), (build, "live")):
        set_store_status(which.pk, actor=release_manager, store_status=status)
    client = as_user(viewer)
    assert [(event.name, event.other) for event in _side(client, build).store_events] == [
        ("Live", None),
        ("Replaced", older),
        ("Approved", None),
    ]
    assert f"2.9.0 #{older.pk}" in text_of(client.get(build_url(build)))
    replaced = _side(client, older).store_events
    assert [(event.name, event.other_id) for event in replaced] == [("Replaced by", build.pk), ("Live", None)]


def test_force_update_says_who_applied_and_lifted_it_and_why(
    as_user: AsUser, viewer: User, release_manager: User, owner: User, replaced_build: Build
) -> None:
    apply_force_update(replaced_build.pk, actor=release_manager, reason="Crashes at start.")
    lift_force_update(replaced_build.pk, actor=owner)
    client = as_user(viewer)
    actions = [entry.action for entry in _side(client, replaced_build).force_update_events]
    assert actions == [AuditAction.FORCE_UPDATE_LIFTED, AuditAction.FORCE_UPDATE_APPLIED]
    page = text_of(client.get(build_url(replaced_build)))
    for shown in ("by Olga Kaya", "by Elif Kaya", "Crashes at start."):
        assert shown in page


def test_a_viewer_is_told_whom_to_ask(as_user: AsUser, viewer: User, owner: User, build: Build) -> None:
    sentence = "You need the Release manager role. Ask Olga Kaya."
    assert sentence in text_of(as_user(viewer).get(build_url(build)))
    assert sentence not in text_of(as_user(owner).get(build_url(build)))


@pytest.mark.parametrize(("minutes", "shown"), [(14.5, "14 min 30 s"), (0, '<dt>Duration</dt><dd class="num">–')])
def test_the_duration_of_a_build_is_that_of_its_compiling(
    as_user: AsUser, viewer: User, build: Build, minutes: float, shown: str
) -> None:
    now = timezone.now()
    Build.objects.filter(pk=build.pk).update(started_at=now - timedelta(minutes=minutes), finished_at=now)
    assert shown in text_of(as_user(viewer).get(build_url(build)))
