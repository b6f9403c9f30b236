"""Forms in dialogs: opened from a link, closed in every way, with an address of their own."""

import re

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from builds.models import Build
from deployments.models import CodePush
from deployments.services.codepushes import edit_codepush
from tests.browser.people import sign_in
from tests.deployments.pages import build_url, codepush_url, report_installed
from tests.factories import CodePushFactory


@pytest.fixture
def live(transactional_db: None, build: Build) -> CodePush:
    """v3; before it v1 and v2. Two devices run v1, three v3."""
    codepushes: list[CodePush] = CodePushFactory.create_batch(3, build=build)
    report_installed(build, "v1", 2)
    report_installed(build, "v3", 3, first=2)
    return codepushes[-1]


@pytest.fixture
def at_build(page: Page, live_server: LiveServer, release_manager: User, live: CodePush) -> Page:
    """A release manager looks at the build."""
    sign_in(page, live_server, release_manager, at=build_url(live.build))
    expect(page.get_by_role("heading", name="v3 is the Live update")).to_be_visible()
    # Before its scripts run, a link leads to a page.
    page.wait_for_load_state("load")
    return page


def _dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def _card_link(page: Page, action: str, label: str) -> Locator:
    return page.get_by_role("article", name=label).get_by_role("link", name=f"{action} {label}")


def _expect_path(page: Page, path: str) -> None:
    """Waits for it: a dialog is shown a moment before its address is."""
    page.wait_for_function("path => location.pathname === path", arg=path)


def test_enter_opens_it_at_its_address_and_esc_closes_it_where_one_was(
    at_build: Page, complaints: list[str], live: CodePush
) -> None:
    link = _card_link(at_build, "Rollback", "v3")
    link.press("Enter")
    expect(_dialog(at_build)).to_have_accessible_name("Roll back v3")
    expect(at_build.get_by_role("radio", name=re.compile("^v2"))).to_be_focused()
    _expect_path(at_build, codepush_url(live, "rollback"))
    at_build.keyboard.press("Escape")
    expect(_dialog(at_build)).to_be_hidden()
    expect(link).to_be_focused()
    _expect_path(at_build, build_url(live.build))
    assert complaints == []


def test_the_preview_and_the_button_follow_the_choice(at_build: Page, complaints: list[str], live: CodePush) -> None:
    _card_link(at_build, "Rollback", "v3").click()
    expect(_dialog(at_build).get_by_text("v4 Live, same bundle as v2")).to_be_visible()
    at_build.get_by_role("radio", name=re.compile("^v1")).check()
    expect(_dialog(at_build).get_by_text("v4 Live, same bundle as v1")).to_be_visible()
    expect(_dialog(at_build).get_by_text("devices already run the v1 bundle, so they download nothing")).to_be_visible()
    _dialog(at_build).get_by_label("Mandatory").check()
    expect(_dialog(at_build).get_by_text("of these must install it during the Splash Screen")).to_be_visible()
    _dialog(at_build).get_by_role("button", name="Roll back to v1").click()
    expect(at_build.get_by_text("Rolled back to v1. v4 is Live.")).to_be_visible()
    # What is done is not opened again by Back.
    at_build.go_back()
    expect(_dialog(at_build)).to_be_hidden()
    _expect_path(at_build, build_url(live.build))
    assert complaints == []


def test_text_that_was_edited_is_not_lost_by_accident(at_build: Page, live: CodePush) -> None:
    _card_link(at_build, "Edit", "v3").click()
    description = _dialog(at_build).get_by_label("Description")
    expect(description).to_be_focused()
    description.fill("Half a sentence")
    for leave in (lambda: at_build.keyboard.press("Escape"), lambda: at_build.mouse.click(5, 400), at_build.go_back):
        leave()
        expect(_dialog(at_build).get_by_text("Discard changes?")).to_be_visible()
        expect(at_build.get_by_role("button", name="Keep editing")).to_be_focused()
        at_build.keyboard.press("Escape")
        expect(_dialog(at_build).get_by_text("Discard changes?")).to_be_hidden()
        expect(description).to_have_value("Half a sentence")
        _expect_path(at_build, codepush_url(live, "edit"))
    _dialog(at_build).get_by_role("button", name="Close").click()
    _dialog(at_build).get_by_role("button", name="Discard").click()
    expect(_dialog(at_build)).to_be_hidden()
    _expect_path(at_build, build_url(live.build))


def test_what_was_not_edited_closes_at_once_by_the_backdrop_and_by_back(at_build: Page, live: CodePush) -> None:
    for leave in (lambda: at_build.mouse.click(5, 400), at_build.go_back):
        _card_link(at_build, "Edit", "v3").click()
        expect(_dialog(at_build)).to_be_visible()
        leave()
        expect(_dialog(at_build)).to_be_hidden()
        _expect_path(at_build, build_url(live.build))
    at_build.go_forward()
    expect(_dialog(at_build)).to_have_accessible_name("Edit v3")


def test_errors_take_the_focus_and_input_is_kept(at_build: Page, live: CodePush) -> None:
    _card_link(at_build, "Edit", "v3").click()
    rollout = _dialog(at_build).get_by_label("Rollout", exact=True)
    rollout.fill("0")
    rollout.press("Enter")
    summary = _dialog(at_build).get_by_role("alert")
    expect(summary).to_be_focused()
    expect(rollout).to_have_value("0")
    expect(rollout).to_have_attribute("aria-invalid", "true")
    summary.get_by_role("link", name="Rollout").click()
    expect(rollout).to_be_focused()
    _expect_path(at_build, codepush_url(live, "edit"))


def test_the_focus_returns_to_the_link_of_the_renewed_page(at_build: Page, live: CodePush) -> None:
    _card_link(at_build, "Edit", "v3").click()
    expect(_dialog(at_build)).to_be_visible()
    at_build.evaluate("document.querySelectorAll('a[data-dialog]').forEach((a) => a.replaceWith(a.cloneNode(true)))")
    at_build.keyboard.press("Escape")
    expect(_card_link(at_build, "Edit", "v3")).to_be_focused()


def test_somebody_else_was_quicker(at_build: Page, live: CodePush, owner: User) -> None:
    _card_link(at_build, "Promote", "v1").click()
    _dialog(at_build).get_by_label("Reason").fill("Safer")
    edit_codepush(live.pk, actor=owner, is_enabled=False)
    _dialog(at_build).get_by_role("button", name="Promote v1").click()
    expect(_dialog(at_build).get_by_role("alert")).to_have_text("v2 became Live while this was open. Review again.")
    expect(_dialog(at_build).get_by_role("alert")).to_be_focused()
    expect(_dialog(at_build).get_by_text("v2 Live → Superseded")).to_be_visible()
    expect(_dialog(at_build).get_by_label("Reason")).to_have_value("Safer")
    _dialog(at_build).get_by_role("button", name="Promote v1").click()
    expect(at_build.get_by_text("Promoted v1. v4 is Live.")).to_be_visible()


def test_a_rollback_of_what_is_live_no_more_leads_to_the_one_of_what_is(
    at_build: Page, live: CodePush, owner: User
) -> None:
    _card_link(at_build, "Rollback", "v3").click()
    expect(_dialog(at_build)).to_be_visible()
    edit_codepush(live.pk, actor=owner, is_enabled=False)
    _dialog(at_build).get_by_role("button", name="Roll back to v2").click()
    expect(_dialog(at_build).get_by_text("v2 became Live while this was open. Review again.")).to_be_visible()
    _dialog(at_build).get_by_role("link", name="Review a rollback of v2").click()
    expect(_dialog(at_build)).to_have_accessible_name("Roll back v2")
    _expect_path(at_build, codepush_url(live.build.codepushes.get(label_number=2), "rollback"))


def test_typed_text_is_back_after_signing_in_again(at_build: Page, release_manager: User, live: CodePush) -> None:
    _card_link(at_build, "Edit", "v3").click()
    _dialog(at_build).get_by_label("Description").fill("Long and thoughtful")
    Session.objects.all().delete()
    _dialog(at_build).get_by_role("button", name="Save changes").click()
    at_build.get_by_label("Username").fill(release_manager.username)
    at_build.get_by_label("Password").fill("a-password-for-browsers")
    at_build.get_by_role("button", name="Sign in").click()
    expect(at_build.get_by_role("heading", level=1)).to_have_text("Edit v3")
    expect(at_build.get_by_label("Description")).to_have_value("Long and thoughtful")
    expect(at_build.get_by_text("What you had typed is back.")).to_be_visible()
    at_build.get_by_role("button", name="Save changes").click()
    expect(at_build.get_by_text("v3 saved. v3 is Live.")).to_be_visible()
    assert at_build.evaluate("sessionStorage.getItem('unsent-form')") is None


def test_a_lost_connection_keeps_the_dialog_and_a_resend_acts_once(at_build: Page, live: CodePush) -> None:
    at_build.goto(at_build.url.split("builds/")[0])
    at_build.get_by_role("link", name="Create build").click()
    _dialog(at_build).get_by_label("Store version").fill("3.1.0")
    at_build.route("**/builds/new/", lambda route: (route.fetch(), route.abort()))
    _dialog(at_build).get_by_role("button", name="Create build").click()
    expect(_dialog(at_build).get_by_text("No answer came.")).to_be_visible()
    at_build.unroute("**/builds/new/")
    _dialog(at_build).get_by_role("button", name="Create build").click()
    expect(at_build.get_by_text("This form had been sent before; it was done once.")).to_be_visible()
    assert Build.objects.filter(store_version="3.1.0").count() == 1


def test_the_address_alone_shows_a_page(
    page: Page, live_server: LiveServer, release_manager: User, live: CodePush
) -> None:
    sign_in(page, live_server, release_manager, at=codepush_url(live, "rollback"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Roll back v3")
    page.get_by_role("radio", name=re.compile("^v1")).check()
    expect(page.get_by_role("button", name="Roll back to v1")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="v3 is the Live update")).to_be_visible()


def test_without_scripts_the_links_lead_to_pages(
    browser: Browser, live_server: LiveServer, release_manager: User, live: CodePush
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    sign_in(page, live_server, release_manager, at=build_url(live.build))
    _card_link(page, "Rollback", "v3").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Roll back v3")
    page.get_by_role("radio", name=re.compile("^v1")).check()
    page.get_by_label("Reason").fill("Crashes")
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.get_by_text("v4 Live, same bundle as v1")).to_be_visible()
    # Enter does what the form is for, not what it shows beforehand.
    page.get_by_label("Reason").press("Enter")
    expect(page.get_by_text("Rolled back to v1. v4 is Live.")).to_be_visible()
    expect(page.get_by_text("Crashes")).to_be_visible()
    page.context.close()
