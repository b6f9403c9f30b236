"""Pages that keep themselves fresh, and stay calm while they do."""

import re

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, Request, expect
from pytest_django.live_server_helper import LiveServer

from builds.models import AuditAction, AuditEntry, Build
from deployments.models import CodePush
from deployments.services.build_status import set_build_status
from deployments.services.codepushes import cancel, edit_codepush
from deployments.services.republishing import promote
from tests.browser.people import sign_in
from tests.deployments.pages import build_url
from tests.factories import BuildFactory, CodePushFactory

UNFINISHED = {"finished_at": None, "duration_ms": None}


@pytest.fixture
def polls(page: Page) -> list[Request]:
    """What the page asked for by itself, in order."""
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if "/cards/" in request.url else None)
    return asked


@pytest.fixture
def opened(page: Page, live_server: LiveServer, release_manager: User, build: Build) -> list[CodePush]:
    """Build Detail, open in the browser: v1 to v3. Its clock is ours."""
    codepushes: list[CodePush] = CodePushFactory.create_batch(3, build=build, created_by=release_manager)
    sign_in(page, live_server, release_manager)
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    page.clock.install()
    page.goto(f"{live_server.url}{build_url(build)}")
    return codepushes


def _hide(page: Page, *, is_hidden: bool) -> None:
    page.evaluate(
        """isHidden => {
            Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


def _make_live(codepush: CodePush, actor: User) -> None:
    promote(codepush.pk, actor=actor)


@pytest.mark.usefixtures("one_period")
def test_a_poll_that_finds_nothing_new_is_answered_with_304(
    page: Page, opened: list[CodePush], polls: list[Request]
) -> None:
    with page.expect_response("**/cards/**") as answer:
        page.clock.run_for(31_000)
    assert answer.value.status == 304
    expect(page.get_by_role("article", name="v3")).to_be_visible()
    expect(page.get_by_text("Could not refresh.")).to_be_hidden()


def test_what_becomes_live_is_in_the_title_and_said_once(
    page: Page, opened: list[CodePush], release_manager: User, complaints: list[str]
) -> None:
    page.evaluate(
        """() => {
            window.said = [];
            const announcer = document.getElementById("announcer");
            new MutationObserver(() => window.said.push(announcer.textContent)).observe(announcer, { childList: true });
        }"""
    )
    _make_live(opened[0], release_manager)
    page.clock.run_for(31_000)
    expect(page.get_by_role("heading", name="v4 is the Live update")).to_be_visible()
    expect(page).to_have_title("✓ v4 Live · Android 3.0.0")
    edit_codepush(opened[0].pk, actor=release_manager, description="A change that nobody needs to hear of")
    page.clock.run_for(31_000)
    expect(page.get_by_text("A change that nobody needs to hear of")).to_be_visible()
    assert page.evaluate("window.said") == ["v4 is Live"]
    assert complaints == []


def test_a_hidden_tab_asks_for_nothing_and_once_on_return(
    page: Page, opened: list[CodePush], polls: list[Request]
) -> None:
    _hide(page, is_hidden=True)
    page.clock.run_for(120_000)
    assert polls == []
    with page.expect_response("**/cards/**"):
        _hide(page, is_hidden=False)
    page.clock.run_for(5_000)
    assert len(polls) == 1


def test_a_new_card_waits_while_somebody_points_at_the_list(
    page: Page, opened: list[CodePush], release_manager: User
) -> None:
    card = page.get_by_role("article", name="v2")
    card.hover()
    before = card.bounding_box()
    _make_live(opened[0], release_manager)
    page.clock.run_for(31_000)
    # Whatever is no new card is up to date all the same.
    expect(page.get_by_role("heading", name="v4 is the Live update")).to_be_visible()
    show = page.get_by_role("button", name="1 new update. Show")
    expect(show).to_be_visible()
    expect(page.get_by_role("article", name="v4")).to_have_count(0)
    assert card.bounding_box() == before
    page.clock.run_for(31_000)
    expect(show).to_be_visible()
    show.click()
    expect(page.get_by_role("article", name="v4")).to_be_visible()
    expect(show).to_be_hidden()


def test_a_new_card_comes_by_itself_while_nobody_points_at_the_list(
    page: Page, opened: list[CodePush], release_manager: User
) -> None:
    page.get_by_role("heading", level=1).hover()
    _make_live(opened[0], release_manager)
    page.clock.run_for(31_000)
    expect(page.get_by_role("article", name="v4")).to_be_visible()


def test_focus_and_what_is_open_stay(page: Page, opened: list[CodePush], release_manager: User) -> None:
    link = page.get_by_role("link", name="Edit v2")
    link.focus()
    edit_codepush(opened[2].pk, actor=release_manager, description="Changed meanwhile")
    page.clock.run_for(31_000)
    expect(page.get_by_text("Changed meanwhile")).to_be_visible()
    expect(link).to_be_focused()


def test_nothing_is_refreshed_while_a_dialog_is_open(
    page: Page, opened: list[CodePush], release_manager: User, polls: list[Request]
) -> None:
    page.evaluate(
        "document.body.append(document.createElement('dialog')); document.querySelector('dialog').showModal()"
    )
    _make_live(opened[0], release_manager)
    page.clock.run_for(61_000)
    assert polls == []
    page.evaluate("document.querySelector('dialog').close()")
    expect(page.get_by_role("article", name="v4")).to_be_visible()


def test_errors_make_the_pace_slower_and_a_press_tries_again(
    page: Page, opened: list[CodePush], polls: list[Request]
) -> None:
    page.route("**/cards/**", lambda route: route.abort())
    page.clock.run_for(31_000)
    expect(page.get_by_text("Could not refresh. Showing")).to_be_visible()
    for place, seconds in enumerate([3, 6, 12, 24, 48, 60, 60], start=1):
        assert len(polls) == place
        # Real time goes on beside: far enough for the pace before to ask, with room for a slow machine.
        page.clock.run_for(seconds * 600)
        assert len(polls) == place, f"asked before {seconds} s were over"
        with page.expect_event("requestfailed"):
            page.clock.run_for(seconds * 400 + 500)
    page.unroute("**/cards/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Could not refresh.")).to_be_hidden()


def test_how_old_the_numbers_are_is_counted_up_and_turns_amber(page: Page, opened: list[CodePush]) -> None:
    page.route("**/cards/**", lambda route: route.abort())
    expect(page.get_by_text(re.compile("Updated [0-9]+ s ago"))).to_be_visible()
    page.clock.run_for(121_000)
    expect(page.get_by_text("Updated 2 min ago")).to_have_class(re.compile("late"))


def test_a_session_that_has_ended_leads_to_the_sign_in_page_and_back(
    page: Page, live_server: LiveServer, opened: list[CodePush], build: Build
) -> None:
    Session.objects.all().delete()
    page.clock.run_for(31_000)
    expect(page).to_have_url(f"{live_server.url}/sign-in/?next={build_url(build)}")


def test_the_key_is_shown_when_asked_for_and_stays(
    page: Page, opened: list[CodePush], release_manager: User, build: Build, complaints: list[str]
) -> None:
    key = page.get_by_text(build.deployment_key, exact=True)
    expect(key).to_have_count(0)
    page.get_by_role("button", name="Show deployment key").click()
    expect(key).to_be_focused()
    edit_codepush(opened[2].pk, actor=release_manager, description="Changed meanwhile")
    page.clock.run_for(31_000)
    expect(page.get_by_text("Changed meanwhile")).to_be_visible()
    expect(key).to_be_visible()
    assert AuditEntry.objects.filter(action=AuditAction.DEPLOYMENT_KEY_REVEALED, actor=release_manager).count() == 1
    assert complaints == []


def test_a_processing_one_is_looked_at_every_three_seconds(
    page: Page, live_server: LiveServer, opened: list[CodePush], build: Build, release_manager: User
) -> None:
    pending = CodePushFactory(build=build, status="pending", **UNFINISHED)
    page.goto(f"{live_server.url}{build_url(build)}")
    CodePush.objects.filter(pk=pending.pk).update(status="processing", step="checking", progress_percent=5)
    page.clock.run_for(3_100)
    expect(page.get_by_role("article", name="New update").get_by_text("5%")).to_have_count(2)
    cancel(pending.pk, actor=release_manager)
    page.clock.run_for(3_100)
    expect(page.locator("[data-poll]")).to_have_attribute("data-poll", "30")
    # The pill in the header, too.
    expect(page.get_by_text("1 deployment running")).to_have_count(0)


def test_a_build_that_finishes_shows_so_in_its_project(
    page: Page, live_server: LiveServer, release_manager: User, build: Build, complaints: list[str]
) -> None:
    running = BuildFactory(project=build.project, store_version="3.1.0", status="running")
    sign_in(page, live_server, release_manager, at=f"/projects/{build.project.slug}/")
    row = page.get_by_role("row", name="3.1.0")
    expect(row.get_by_text("Running")).to_be_visible()
    set_build_status(running.pk, actor=release_manager, status="success")
    expect(row.get_by_text("Successful")).to_be_visible()
    expect(page.locator("[data-poll]")).to_have_attribute("data-poll", "0")
    assert complaints == []
