"""Store status, Force Update and build status, as pages."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from builds.models import AuditEntry, Build, StoreStatus
from tests.deployments.pages import AsUser, assert_refused, build_url, report_installed, text_of
from tests.factories import BuildFactory


def test_becoming_live_names_whom_it_replaces_and_does_so(as_user: AsUser, release_manager: User, build: Build) -> None:
    before = BuildFactory(
        project=build.project, store_version="2.9.0", store_status=StoreStatus.LIVE, store_live_at=timezone.now()
    )
    client = as_user(release_manager)
    assert f"2.9.0 #{before.pk} becomes Approved." in text_of(client.get(build_url(build, "store-status/")))
    response = client.post(build_url(build, "store-status/"), {"store_status": "live"})
    assert (response.status_code, response.headers["Location"]) == (303, build_url(build))
    before.refresh_from_db()
    build.refresh_from_db()
    assert (before.store_status, build.store_status) == ("approved", "live")


def test_leaving_the_store_tells_where_that_leaves_others(
    as_user: AsUser, release_manager: User, replaced_build: Build
) -> None:
    Build.objects.filter(pk=replaced_build.pk).update(is_force_updated=True)
    live = Build.objects.get(store_status="live")
    page = text_of(as_user(release_manager).get(build_url(live, "store-status/")))
    assert "No build is Live in the store then: devices of builds with Force Update have nowhere to go." in page


def test_an_unknown_store_status_is_refused(as_user: AsUser, release_manager: User, build: Build) -> None:
    response = as_user(release_manager).post(build_url(build, "store-status/"), {"store_status": "sold"})
    assert_refused(response, 422, "Select a valid choice.")


def test_a_build_that_failed_has_no_store_status(as_user: AsUser, release_manager: User, project: object) -> None:
    failed = BuildFactory(project=project, status="failed")
    client = as_user(release_manager)
    for response in (
        client.get(build_url(failed, "store-status/")),
        client.post(build_url(failed, "store-status/"), {"store_status": "live"}),
    ):
        assert_refused(response, 409, "only a successful build has a store status.")


def test_force_update_asks_for_the_version_and_says_how_many(
    as_user: AsUser, release_manager: User, replaced_build: Build
) -> None:
    report_installed(replaced_build, "", 4)
    client, address = as_user(release_manager), build_url(replaced_build, "force-update/")
    page = text_of(client.get(address))
    assert "<b>4</b><span>devices on 3.0.0 are sent to Google Play for 3.1.0, and get no CodePush any more" in page
    refused = client.post(address, {"intent": "apply", "confirmation": "3.1.0"})
    assert_refused(refused, 422, "You typed '3.1.0'; type 3.0.0 to confirm.")
    done = client.post(address, {"intent": "apply", "confirmation": "3.0.0", "reason": "Security fix"})
    assert done.status_code == 303
    replaced_build.refresh_from_db()
    assert replaced_build.is_force_updated
    assert AuditEntry.objects.filter(reason="Security fix").exists()


def test_force_update_can_be_lifted(as_user: AsUser, release_manager: User, replaced_build: Build) -> None:
    Build.objects.filter(pk=replaced_build.pk).update(is_force_updated=True)
    client, address = as_user(release_manager), build_url(replaced_build, "force-update/")
    assert "Lift Force Update of 3.0.0" in text_of(client.get(address))
    assert client.post(address, {"intent": "lift"}).status_code == 303
    replaced_build.refresh_from_db()
    assert not replaced_build.is_force_updated


def test_applying_what_somebody_else_has_applied_does_not_lift_it(
    as_user: AsUser, release_manager: User, replaced_build: Build
) -> None:
    Build.objects.filter(pk=replaced_build.pk).update(is_force_updated=True)
    fields = {"intent": "apply", "confirmation": "3.0.0"}
    as_user(release_manager).post(build_url(replaced_build, "force-update/"), fields)
    replaced_build.refresh_from_db()
    assert replaced_build.is_force_updated


def test_a_build_that_was_never_live_has_no_force_update(as_user: AsUser, release_manager: User, build: Build) -> None:
    client, address = as_user(release_manager), build_url(build, "force-update/")
    for response in (client.get(address), client.post(address, {"intent": "apply", "confirmation": "3.0.0"})):
        assert_refused(response, 409, "This build was never live in the store")


@pytest.mark.parametrize("status", ["running", "success", "failed", "canceled"])
def test_a_pending_build_is_finished_by_hand(
    as_user: AsUser, release_manager: User, project: object, status: str
) -> None:
    build = BuildFactory(project=project, status="pending")
    response = as_user(release_manager).post(build_url(build, "status/"), {"status": status})
    assert response.status_code == 303
    build.refresh_from_db()
    assert build.status == status


def test_a_running_build_offers_only_ends(as_user: AsUser, release_manager: User, project: object) -> None:
    build = BuildFactory(project=project, status="running")
    client = as_user(release_manager)
    offered = client.get(build_url(build, "status/")).context["next_statuses"]
    assert offered == ["success", "failed", "canceled"]
    assert_refused(
        client.post(build_url(build, "status/"), {"status": "pending"}), 409, "is running and cannot become pending."
    )


def test_a_finished_build_stays_as_it_finished(as_user: AsUser, release_manager: User, build: Build) -> None:
    client = as_user(release_manager)
    assert_refused(client.get(build_url(build, "status/")), 409, "has finished as successful and stays so.")
    assert "Update build status" not in text_of(client.get(build_url(build)))
