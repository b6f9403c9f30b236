"""What a poll costs, and that it finds every change: 304 only while the page would be the same."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from builds.models import Build, Membership, Role
from deployments.models import CodePush
from deployments.services import build_status, codepushes, force_update, republishing
from metrics.aggregation import apply_waiting_reports
from metrics.models import LogPosition
from metrics.services import clear_metrics
from tests.deployments.pages import AsUser, build_url, report_installed
from tests.devices import Device
from tests.factories import BuildFactory, CodePushFactory, MembershipFactory, ProjectFactory

pytestmark = pytest.mark.usefixtures("one_period")

UNFINISHED = {"finished_at": None, "duration_ms": None}


@pytest.fixture
def releases(build: Build) -> list[CodePush]:
    """v1 to v3, run by one, none and two devices; one that is pending."""
    created: list[CodePush] = CodePushFactory.create_batch(3, build=build)
    CodePushFactory(build=build, status="pending", **UNFINISHED)
    report_installed(build, "v1", 1)
    report_installed(build, "v3", 2, first=1)
    return created


def _poll(client: Client, address: str, tag: str = "") -> Any:
    return client.get(address, headers={"If-None-Match": tag} if tag else {})


def _pending(build: Build) -> Any:
    return CodePush.objects.filter(build=build).unfinished()


def _report(build: Build, event: str, number: int, label: str) -> None:
    device = Device(build.deployment_key, client_unique_id=f"device {number}", label=label)
    device.report_download(label) if event == "downloaded" else device.report_deploy(event)
    apply_waiting_reports()


Change = Callable[[Build, User], Any]
CHANGES: dict[str, Change] = {
    "an edit": lambda build, user: codepushes.edit_codepush(
        CodePush.objects.get(build=build, label_number=3).pk, actor=user, rollout_percent=5
    ),
    "a rollback": lambda build, user: republishing.promote(
        CodePush.objects.get(build=build, label_number=1).pk, actor=user
    ),
    "a cancel": lambda build, user: codepushes.cancel(_pending(build).get().pk, actor=user),
    "a claim": lambda build, user: _pending(build).update(status="processing"),
    "a step": lambda build, user: _pending(build).update(step="storing"),
    "progress": lambda build, user: _pending(build).update(progress_percent=7),
    "store status": lambda build, user: build_status.set_store_status(build.pk, actor=user, store_status="live"),
    "a download": lambda build, user: _report(build, "downloaded", 1, "v3"),
    "an install": lambda build, user: _report(build, "DeploymentSucceeded", 0, "v3"),
    "a device rollback": lambda build, user: _report(build, "DeploymentFailed", 0, "v3"),
    "a report that came twice": lambda build, user: _report(build, "DeploymentSucceeded", 1, "v3"),
    "a new device": lambda build, user: report_installed(build, "", 1, first=9),
    "a device back on the bundle of the store": lambda build, user: report_installed(build, "", 1),
    "a report of a label that is none": lambda build, user: report_installed(build, "v99", 1),
    "cleared metrics": lambda build, user: clear_metrics(build.pk, actor=user),
    "another role": lambda build, user: Membership.objects.filter(user=user).update(role=Role.VIEWER),
    "metrics that are late": lambda build, user: LogPosition.objects.update(
        applied_at=timezone.now() - timedelta(minutes=3)
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.django_db(transaction=True)
def test_every_change_is_found_by_the_next_poll(
    as_user: AsUser, release_manager: User, build: Build, releases: list[CodePush], change: Change
) -> None:
    client, address = as_user(release_manager), build_url(build, "cards/")
    tag = _poll(client, address).headers["ETag"]
    assert _poll(client, address, tag).status_code == 304
    change(build, release_manager)
    answer = _poll(client, address, tag)
    assert answer.status_code == 200
    assert _poll(client, address, answer.headers["ETag"]).status_code == 304


def test_force_update_and_what_follows_for_the_build_it_is_applied_to_are_found(
    as_user: AsUser, release_manager: User, replaced_build: Build
) -> None:
    client, address = as_user(release_manager), build_url(replaced_build, "cards/")
    tag = _poll(client, address).headers["ETag"]
    force_update.apply_force_update(replaced_build.pk, actor=release_manager)
    answer = _poll(client, address, tag)
    assert answer.status_code == 200
    # Another build becomes the one that devices are sent to.
    newest = BuildFactory(project=replaced_build.project, store_version="3.2.0")
    build_status.set_store_status(newest.pk, actor=release_manager, store_status="live")
    assert _poll(client, address, answer.headers["ETag"]).status_code == 200


def test_a_page_carries_the_tag_of_its_first_poll(
    as_user: AsUser, viewer: User, build: Build, releases: list[CodePush]
) -> None:
    client = as_user(viewer)
    for page, poll in ((build_url(build), build_url(build, "cards/")), ("/deployments/", "/deployments/rows/")):
        tag = client.get(page).content.decode().split('data-tag="')[1].split('"')[0].replace("&quot;", '"')
        answer = _poll(client, poll, tag)
        assert (answer.status_code, answer.content) == (304, b"")


def test_numbers_that_were_applied_anew_and_did_not_change_are_no_change(
    as_user: AsUser, viewer: User, build: Build, releases: list[CodePush]
) -> None:
    client, address = as_user(viewer), build_url(build, "cards/")
    first = _poll(client, address)
    LogPosition.objects.update(applied_at=timezone.now() + timedelta(seconds=2))
    answer = _poll(client, address, first.headers["ETag"])
    assert answer.status_code == 304
    # How fresh they are is said all the same.
    assert answer.headers["X-As-Of"] > first.headers["X-As-Of"]


def test_two_people_do_not_share_a_tag(as_user: AsUser, viewer: User, release_manager: User, build: Build) -> None:
    address = build_url(build, "cards/")
    tag = _poll(as_user(viewer), address).headers["ETag"]
    assert _poll(as_user(release_manager), address, tag).status_code == 200


def test_what_only_time_changes_is_at_most_five_minutes_old(
    as_user: AsUser, viewer: User, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, address = as_user(viewer), build_url(build, "cards/")
    tag = _poll(client, address).headers["ETag"]
    monkeypatch.setattr("deployments.views.polling.time", lambda: 300.0)
    assert _poll(client, address, tag).status_code == 200


def test_rows_of_deployments_find_changes_in_each_project(
    as_user: AsUser, viewer: User, release_manager: User, build: Build, releases: list[CodePush]
) -> None:
    client, address = as_user(viewer), "/deployments/rows/"

    def assert_found(change: Callable[[], Any]) -> None:
        tag = _poll(client, address).headers["ETag"]
        assert _poll(client, address, tag).status_code == 304
        change()
        assert _poll(client, address, tag).status_code == 200

    assert_found(lambda: _pending(build).update(progress_percent=9))
    assert_found(lambda: codepushes.edit_codepush(releases[0].pk, actor=release_manager, description="Other"))
    assert_found(lambda: MembershipFactory(project=ProjectFactory(), user=viewer))


@pytest.mark.parametrize("codepush_count", [1, 20])
def test_a_poll_that_finds_nothing_costs_a_fixed_number_of_queries(
    as_user: AsUser, viewer: User, build: Build, codepush_count: int, django_assert_num_queries: Any
) -> None:
    CodePushFactory.create_batch(codepush_count, build=build)
    CodePushFactory(build=build, status="pending", **UNFINISHED)
    for label in range(1, codepush_count + 1):
        report_installed(build, f"v{label}", 1, first=label)
    client = as_user(viewer)
    # Session, user; then the build with what they may do, and one of the tag; or two of it.
    for address, queries in ((build_url(build, "cards/"), 4), ("/deployments/rows/", 4)):
        tag = _poll(client, address).headers["ETag"]
        with django_assert_num_queries(queries):
            assert _poll(client, address, tag).status_code == 304
