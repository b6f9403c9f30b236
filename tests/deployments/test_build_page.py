"""Build Detail: cards, the Live panel, the checklist, pages of cards, and what it costs."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from builds.models import Build, StoreStatus
from deployments.models import CodePush
from metrics.aggregation import apply_waiting_reports
from tests.deployments.pages import AsUser, build_url, report_installed, text_of
from tests.devices import Device
from tests.factories import BuildFactory, CodePushFactory


def _card(page: str, codepush: CodePush) -> str:
    return page.split(f'id="{codepush.deployment_id}"')[1].split("</article>", maxsplit=1)[0]


def test_cards_stand_newest_first_with_state_and_origin(as_user: AsUser, viewer: User, build: Build) -> None:
    first = CodePushFactory(build=build, is_mandatory=True)
    disabled = CodePushFactory(build=build, is_enabled=False)
    failed = CodePushFactory(build=build, status="failed", failure_reason="No JavaScript bundle in it.")
    canceled = CodePushFactory(build=build, status="canceled")
    pending = CodePushFactory(build=build, status="pending", finished_at=None, duration_ms=None)
    copy = CodePushFactory(build=build, origin="rollback", source=first, bundle=first.bundle, reason="Crashes.")
    page = text_of(as_user(viewer).get(build_url(build)))
    order = [copy, pending, canceled, failed, disabled, first]
    assert sorted(order, key=lambda codepush: page.index(f'id="{codepush.deployment_id}"')) == order
    words = {
        first: ["v1", "Superseded", "Mandatory"],
        disabled: ["v2", "Disabled"],
        failed: ["No label", "Failed", "No JavaScript bundle in it.", "Devices were not affected.", "Retry"],
        canceled: ["No label", "Canceled"],
        pending: ["New update", "Pending", "Uploaded", "Publish as Live", "Cancel"],
        copy: ["v3", "Live", "Same bundle as v1", "Crashes."],
    }
    for codepush, expected in words.items():
        for word in expected:
            assert word in _card(page, codepush)
    assert "Retry" not in _card(page, first)


def test_numbers_are_of_distinct_devices_with_all_reports_behind(as_user: AsUser, viewer: User, build: Build) -> None:
    codepush = CodePushFactory(build=build, rollout_percent=75)
    report_installed(build, "v1", 3)
    report_installed(build, "", 1, first=3)
    device = Device(build.deployment_key, client_unique_id="device 0")
    for _ in range(2):
        device.report_download("v1")
    apply_waiting_reports()
    card = _card(text_of(as_user(viewer).get(build_url(build))), codepush)
    for shown in ("75%", "75.0%", ">1<span", "2 times", ">3<span"):
        assert shown in card


def test_without_devices_active_is_a_dash(as_user: AsUser, viewer: User, build: Build) -> None:
    codepush = CodePushFactory(build=build)
    assert "</dt><dd>–</dd>" in _card(text_of(as_user(viewer).get(build_url(build))), codepush)


def test_active_of_the_live_one_counts_its_bundle_under_older_labels(
    as_user: AsUser, viewer: User, build: Build
) -> None:
    first = CodePushFactory(build=build)
    CodePushFactory(build=build)
    live = CodePushFactory(build=build, origin="rollback", source=first, bundle=first.bundle)
    report_installed(build, "v1", 2)
    report_installed(build, "v2", 1, first=2)
    report_installed(build, "v3", 1, first=3)
    page = text_of(as_user(viewer).get(build_url(build)))
    assert '?show=active&label=v3,v1">75.0%<' in _card(page, live)
    assert "Active counts devices that run the same bundle as v1 too" in _card(page, live)
    assert '?show=active&label=v1">50.0%<' in _card(page, first)


def test_no_share_of_nothing(as_user: AsUser, viewer: User, build: Build) -> None:
    """Neither of no devices, nor of no installs: a device may fail before any installs."""
    CodePushFactory(build=build)
    client = as_user(viewer)
    assert "Rolled out to 100%.</p>" in text_of(client.get(build_url(build)))
    Device(build.deployment_key, label="v1").report_deploy("DeploymentFailed")
    apply_waiting_reports()
    assert "of installs" not in text_of(client.get(build_url(build)))


def test_the_split_bar_adds_up_to_all_devices(as_user: AsUser, viewer: User, build: Build) -> None:
    CodePushFactory.create_batch(5, build=build)
    for number, label in enumerate(["v5", "v4", "v3", "v2", "v1", ""]):
        report_installed(build, label, number + 1, first=10 * number)
    split = as_user(viewer).get(build_url(build)).context["page"].split
    assert [(part.name, part.devices) for part in split] == [
        ("v5 Live", 1),
        ("v1", 5),
        ("v2", 4),
        ("Others", 5),
        ("No CodePush", 6),
    ]
    assert sum(part.width for part in split) == pytest.approx(100)


def test_a_label_that_the_build_never_gave_is_not_shown(as_user: AsUser, viewer: User, build: Build) -> None:
    CodePushFactory(build=build)
    for first, label in enumerate(["v1", "v99", "<b>"]):
        report_installed(build, label, 1, first=first)
    split = as_user(viewer).get(build_url(build)).context["page"].split
    assert [(part.name, part.devices) for part in split] == [("v1 Live", 1), ("Moved on, or not known", 2)]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"status": "running"}, "The build is running. It can receive CodePush once it is successful."),
        (
            {"is_force_updated": True, "store_live_at": timezone.now(), "store_status": StoreStatus.APPROVED},
            "Force Update is applied. Devices are sent to the store and get no CodePush.",
        ),
        ({}, "No successful update is enabled"),
    ],
    ids=["unfinished build", "force updated", "nothing enabled"],
)
def test_the_checklist_says_why_devices_get_nothing(
    as_user: AsUser, viewer: User, build: Build, fields: dict[str, Any], sentence: str
) -> None:
    Build.objects.filter(pk=build.pk).update(**fields)
    response = as_user(viewer).get(build_url(build))
    assert sentence in text_of(response)
    assert not response.context["page"].gets_updates


def test_a_build_without_codepush_says_what_users_run(as_user: AsUser, viewer: User, build: Build) -> None:
    page = text_of(as_user(viewer).get(build_url(build)))
    assert "No CodePush yet. Users run the 3.0.0 bundle from the store." in page


def test_show_filters_cards_and_says_when_there_are_none(as_user: AsUser, viewer: User, build: Build) -> None:
    CodePushFactory(build=build)
    client = as_user(viewer)
    assert len(client.get(build_url(build, "?show=success")).context["page"].cards) == 1
    assert len(client.get(build_url(build, "?show=nonsense")).context["page"].cards) == 1
    assert "No failed updates on this build." in text_of(client.get(build_url(build, "?show=failed")))


def test_a_link_to_a_codepush_opens_the_page_that_holds_it(as_user: AsUser, viewer: User, build: Build) -> None:
    codepushes = CodePushFactory.create_batch(27, build=build)
    client = as_user(viewer)
    page = client.get(build_url(build, f"?deployment={codepushes[1].deployment_id}")).context["page"]
    assert page.page.number == 2
    assert codepushes[1] in [card.codepush for card in page.cards]
    assert client.get(build_url(build, "?deployment=dpl_NOTHING")).context["page"].page.number == 1


def test_cards_are_polled_often_only_while_something_runs(as_user: AsUser, viewer: User, build: Build) -> None:
    client = as_user(viewer)
    assert 'data-poll="30"' in text_of(client.get(build_url(build, "cards/")))
    CodePushFactory(build=build, status="processing", finished_at=None, duration_ms=None)
    fragment = text_of(client.get(build_url(build, "cards/")))
    assert 'data-poll="3"' in fragment
    assert "<html" not in fragment


def test_force_update_says_why_it_is_not_available(as_user: AsUser, owner: User, build: Build) -> None:
    page = text_of(as_user(owner).get(build_url(build)))
    assert "This build was never live in the store, so no store user has it." in page
    assert build_url(build, "force-update/") not in page


@pytest.mark.parametrize("codepush_count", [1, 20])
def test_the_page_costs_a_fixed_number_of_queries(
    as_user: AsUser,
    viewer: User,
    release_manager: User,
    build: Build,
    codepush_count: int,
    django_assert_num_queries: Any,
) -> None:
    first = CodePushFactory(build=build, created_by=release_manager)
    for _ in range(codepush_count):
        CodePushFactory(build=build, created_by=release_manager, origin="promote", source=first, bundle=first.bundle)
    BuildFactory(project=build.project)
    client = as_user(viewer)
    # Session, user, membership with project, build; three of the tag; page of CodePushes; two of metrics;
    # store-live build, its history, whom a viewer asks, counts by status, the Live CodePush; the successes and when
    # each was Live, the downloads of the Live one today; what runs, for the header.
    for address in (build_url(build), build_url(build, "cards/")):
        with django_assert_num_queries(16):
            client.get(address)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("failed", "This build failed, so it can&#x27;t receive CodePush."),
        ("canceled", "This build was canceled, so it can&#x27;t receive CodePush."),
        ("running", "The build is running. It can receive CodePush once it is successful."),
    ],
)
def test_a_build_that_is_not_successful_offers_no_codepush(
    as_user: AsUser, release_manager: User, build: Build, status: str, sentence: str
) -> None:
    Build.objects.filter(pk=build.pk).update(status=status)
    page = as_user(release_manager).get(build_url(build)).content.decode()
    # In the Live panel, in the checklist, and in place of the first card.
    assert page.count(sentence) == 3
    assert build_url(build, "codepush/new/") not in page
    assert "Users run the" not in page


def test_a_blocked_button_is_named_with_its_reason(as_user: AsUser, viewer: User, build: Build) -> None:
    CodePushFactory(build=build)
    page = text_of(as_user(viewer).get(build_url(build)))
    assert 'aria-label="Edit v1. You need the Release manager role.' in page
    assert 'aria-label="CodePush. You need the Release manager role.' in page
