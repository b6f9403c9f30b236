"""The same story for who only looks, who may not even look, who has no mouse, and who has no JavaScript."""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from builds.models import Build
from deployments.models import CodePush
from deployments.services.processing import process_codepush
from tests.browser.people import PASSWORD, sign_in
from tests.browser.screens import look_at
from tests.browser.uploading import choose
from tests.conftest import SAMPLES
from tests.deployments.pages import build_url, codepush_url
from tests.factories import CodePushFactory


@pytest.fixture
def releases(transactional_db: None, build: Build) -> list[CodePush]:
    codepushes: list[CodePush] = CodePushFactory.create_batch(3, build=build)
    return codepushes


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    """A phone's browser without JavaScript."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


def test_a_viewer_sees_everything_can_do_nothing_and_is_told_whom_to_ask(
    page: Page,
    complaints: list[str],
    live_server: LiveServer,
    viewer: User,
    owner: User,
    releases: list[CodePush],
) -> None:
    sign_in(page, live_server, viewer, at=build_url(releases[0].build))
    page.wait_for_load_state("load")
    main = page.get_by_role("main")
    expect(main.get_by_text("You need the Release manager role. Ask Olga Kaya.").first).to_be_visible()
    for name in ("CodePush", "Edit v3", "Rollback v3", "Promote v1", "Update store status"):
        button = main.get_by_role("button", name=re.compile(rf"^{name} ?\. You need the Release manager role")).first
        expect(button).to_have_attribute("aria-disabled", "true")
    expect(main.locator("a[data-dialog]")).to_have_count(0)
    look_at(page, "story-viewer")
    main.get_by_role("link", name="History v3").click()
    expect(page.get_by_role("heading", name="History of v3")).to_be_visible()
    assert complaints == []


def test_an_outsider_finds_nothing(
    page: Page, live_server: LiveServer, outsider: User, releases: list[CodePush]
) -> None:
    build = releases[0].build
    sign_in(page, live_server, outsider)
    expect(page.get_by_role("heading", name="Projects", exact=True)).to_be_visible()
    expect(page.get_by_text("Northwind Outdoor")).to_have_count(0)
    for address in (f"/projects/{build.project.slug}/", build_url(build), codepush_url(releases[2], "rollback")):
        answer = page.goto(f"{live_server.url}{address}")
        assert answer
        assert answer.status == 404
        expect(page.get_by_role("heading", name="Page not found")).to_be_visible()


def _tab_to(page: Page, name: str) -> None:
    """The focus is on the link, button or choice of that name, reached with the Tab key alone."""
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.evaluate("(document.activeElement.labels?.[0] ?? document.activeElement).innerText ?? ''")
        if " ".join(focused.split()).startswith(name):
            return
    pytest.fail(f"Tab does not lead to {name}")


def test_a_whole_rollback_without_a_mouse(
    page: Page, complaints: list[str], live_server: LiveServer, release_manager: User, releases: list[CodePush]
) -> None:
    release_manager.set_password(PASSWORD)
    release_manager.save()
    page.goto(f"{live_server.url}/")
    _tab_to(page, "Username")
    page.keyboard.type(release_manager.username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    for name, heading in (("Northwind Outdoor", "Northwind Outdoor"), ("3.0.0", "Android 3.0.0")):
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_load_state("load")
        _tab_to(page, name)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
    page.wait_for_load_state("load")
    _tab_to(page, "Rollback v3")
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name=re.compile("^v2"))).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name=re.compile("^v1"))).to_be_checked()
    expect(page.get_by_role("dialog").get_by_text("v4 Live, same bundle as v1")).to_be_visible()
    _tab_to(page, "Roll back to v1")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Rolled back to v1. v4 is Live.")).to_be_visible()
    expect(page.get_by_role("article", name="v4").get_by_text("Same bundle as v1", exact=True)).to_be_in_viewport()
    assert complaints == []


def test_create_edit_and_roll_back_without_javascript(
    plain_page: Page, live_server: LiveServer, release_manager: User, releases: list[CodePush]
) -> None:
    page, build = plain_page, releases[0].build
    sign_in(page, live_server, release_manager, at=build_url(build))
    page.get_by_role("link", name="CodePush", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="New CodePush")).to_be_visible()
    choose(page, SAMPLES / "android-v1.zip")
    page.get_by_role("button", name="Create CodePush").click()
    expect(page.get_by_text("CodePush created.")).to_be_visible()
    process_codepush(CodePush.objects.latest("pk").pk)
    page.reload()
    expect(page.get_by_role("heading", name="v4 is the Live update")).to_be_visible()

    page.get_by_role("link", name="Edit v4").click()
    page.get_by_label("Description").fill("Fixes the basket")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("v4 saved. v4 is Live.")).to_be_visible()

    page.get_by_role("article", name="v4").get_by_role("link", name="Rollback v4").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Roll back v4")
    page.get_by_role("radio", name=re.compile("^v2")).check()
    page.get_by_label("Reason").fill("Crashes")
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.get_by_text("v5 Live, same bundle as v2")).to_be_visible()
    # Enter does what the form is for, not what it shows beforehand.
    page.get_by_label("Reason").press("Enter")
    expect(page.get_by_text("Rolled back to v2. v5 is Live.")).to_be_visible()
    expect(page.get_by_role("article", name="v5").get_by_text("Crashes")).to_be_visible()
