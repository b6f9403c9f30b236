"""The story of a release, as people live it: real bundles, real pages, in the order in which it happens."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from builds.models import Build
from deployments.models import CodePush
from deployments.services.build_status import set_store_status
from deployments.services.processing import process_codepush
from tests.browser.people import sign_in
from tests.browser.screens import look_at
from tests.browser.uploading import assert_ready, choose, in_field, slow_down
from tests.conftest import SAMPLES
from tests.deployments.pages import build_url, report_installed
from tests.deployments.stories import release, sample, small_archive
from tests.factories import BuildFactory


@pytest.fixture
def releases(transactional_db: None, build: Build, release_manager: User) -> list[CodePush]:
    """v1 to v3, of real bundles; two devices run v1, three v3."""
    archives = (sample("android-v1"), sample("android-v2"), small_archive())
    codepushes = [release(build, release_manager, archive) for archive in archives]
    report_installed(build, "v1", 2)
    report_installed(build, "v3", 3, first=2)
    return codepushes


def _open(page: Page, name: str) -> Locator:
    """The dialog that the link of this name opens."""
    # Before its scripts run, a link leads to a page.
    page.wait_for_load_state("load")
    page.get_by_role("main").get_by_role("link", name=name, exact=True).first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    return dialog


def _assert_live(page: Page, label: str) -> None:
    expect(page.get_by_role("heading", name=f"{label} is the Live update")).to_be_visible()


def test_an_upload_becomes_live_while_one_looks_on(
    page: Page, complaints: list[str], live_server: LiveServer, release_manager: User, build: Build
) -> None:
    page.goto(f"{live_server.url}/")
    look_at(page, "story-sign-in")
    sign_in(page, live_server, release_manager)
    page.get_by_role("link", name="Northwind Outdoor").click()
    page.get_by_role("link", name="3.0.0").click()
    look_at(page, "story-build-empty")

    dialog = _open(page, "CodePush")
    speed_up = slow_down(page, 60_000)
    choose(page, SAMPLES / "android-v1.zip")
    expect(in_field(page, re.compile(r"^[\d.]+ of 889.1 kB \(\d+%\), about \d+ s left$"))).to_be_visible()
    # A file on its way is not lost by a key.
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    speed_up()
    dialog.get_by_label("Description").fill("Fixes the basket")
    assert_ready(page)
    look_at(page, "story-create")
    dialog.get_by_role("button", name="Create CodePush").click()

    expect(page.get_by_text("CodePush created. It becomes Live when processing succeeds.")).to_be_visible()
    expect(page.get_by_role("article", name="New update")).to_be_visible()
    page.evaluate("window.isSamePage = true")
    process_codepush(CodePush.objects.get().pk)
    _assert_live(page, "v1")
    expect(page.get_by_role("article", name="v1").get_by_text("Fixes the basket")).to_be_visible()
    expect(page).to_have_title(re.compile("^✓ v1 Live"))
    assert page.evaluate("window.isSamePage")
    expect(page.locator("[data-poll]")).to_have_attribute("data-poll", "30")
    look_at(page, "story-first-live")
    assert complaints == []


def test_edit_disable_enable_roll_back_and_promote(
    page: Page, complaints: list[str], live_server: LiveServer, release_manager: User, releases: list[CodePush]
) -> None:
    sign_in(page, live_server, release_manager, at=build_url(releases[0].build))
    dialog = _open(page, "Edit v3")
    dialog.get_by_label("Description").fill("Winter storefront")
    dialog.get_by_label("Rollout", exact=True).fill("40")
    expect(dialog.locator("output")).to_have_text("About 2 of 5 devices")
    dialog.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("v3 saved. v3 is Live.")).to_be_visible()
    expect(page.get_by_role("article", name="v3").get_by_text("Winter storefront")).to_be_visible()

    for is_enabled, live, told in ((False, "v2", "v2 becomes Live again."), (True, "v3", "v3 Disabled → Live")):
        dialog = _open(page, "Edit v3")
        dialog.get_by_label("Enabled").set_checked(is_enabled)
        expect(dialog.get_by_role("region", name="What will happen").get_by_text(told)).to_be_visible()
        dialog.get_by_role("button", name=re.compile("^(Save|Disable)")).click()
        _assert_live(page, live)
    look_at(page, "story-enabled-again")

    dialog = _open(page, "Rollback v3")
    expect(dialog.get_by_role("radio", name=re.compile("^v2"))).to_be_checked()
    expect(dialog.get_by_text("v4 Live, same bundle as v2")).to_be_visible()
    dialog.get_by_label("Reason").fill("The storefront crashes")
    look_at(page, "story-rollback")
    dialog.get_by_role("button", name="Roll back to v2").click()
    _assert_live(page, "v4")
    card = page.get_by_role("article", name="v4")
    expect(card.get_by_text("Same bundle as v2", exact=True)).to_be_in_viewport()
    expect(card).to_contain_text("(references v2)")
    expect(card.get_by_text("The storefront crashes")).to_be_visible()
    look_at(page, "story-rolled-back")

    dialog = _open(page, "Promote v1")
    expect(dialog.get_by_text("v5 Live, same bundle as v1")).to_be_visible()
    dialog.get_by_role("button", name="Promote v1").click()
    _assert_live(page, "v5")
    expect(page.get_by_role("article", name="v5").get_by_text("Same bundle as v1", exact=True)).to_be_visible()
    assert complaints == []


def test_the_store_has_a_newer_build_and_the_older_one_is_forced(
    page: Page, complaints: list[str], live_server: LiveServer, release_manager: User, releases: list[CodePush]
) -> None:
    older = releases[0].build
    newer: Build = BuildFactory(project=older.project, store_version="3.1.0")
    set_store_status(older.pk, actor=release_manager, store_status="live")
    sign_in(page, live_server, release_manager, at=build_url(newer))
    dialog = _open(page, "Update store status")
    dialog.get_by_role("radio", name=re.compile("^Live")).check()
    expect(dialog.get_by_text(f"3.0.0 #{older.pk} becomes Approved.")).to_be_visible()
    look_at(page, "story-store-status")
    dialog.get_by_role("button", name="Save store status").click()
    expect(page.get_by_role("main").get_by_text("Live in Google Play")).to_be_visible()

    page.goto(f"{live_server.url}{build_url(older)}")
    expect(page.get_by_role("main").get_by_text("Approved in Google Play")).to_be_visible()
    dialog = _open(page, "Force Update")
    dialog.get_by_label("Type 3.0.0 to confirm").fill("3.0.0")
    dialog.get_by_label("Reason").fill("The old login ends")
    look_at(page, "story-force-update")
    dialog.get_by_role("button", name="Force Update 3.0.0").click()
    note = page.get_by_text("Force Update is applied. Devices are sent to the store and get no CodePush.").first
    expect(note).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^CodePush"))).to_have_attribute("aria-disabled", "true")
    look_at(page, "story-forced")
    dialog = _open(page, "Lift Force Update")
    dialog.get_by_role("button", name="Lift Force Update").click()
    expect(note).to_be_hidden()
    assert complaints == []
