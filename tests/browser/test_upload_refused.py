"""A bundle that does not go up, or cannot be taken: the person is told in words, and the form is kept."""

from pathlib import Path

from django.contrib.auth.models import User
from playwright.sync_api import Page, Route, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from builds.models import Build
from tests.browser.people import sign_in
from tests.browser.screens import look_at
from tests.browser.uploading import assert_ready, assert_waits, choose, in_field, let_it_give_up
from tests.conftest import SAMPLES
from tests.deployments.pages import build_url
from tests.deployments.stories import release, sample


def test_when_the_connection_breaks_the_form_is_kept_and_it_goes_up_again(form: Page) -> None:
    form.get_by_label("Description").fill("Fixes the basket")
    form.route("**/codepush/upload/**", lambda route: route.abort("connectionreset"))
    form.clock.install()
    choose(form, SAMPLES / "android-v1.zip")
    let_it_give_up(form)
    expect(in_field(form, "The connection broke before the upload was done.")).to_be_visible()
    assert_waits(form, "The bundle is not uploaded yet.")
    look_at(form, "upload-lost")
    form.unroute("**/codepush/upload/**")
    form.get_by_role("button", name="Upload again").click()
    assert_ready(form)
    expect(form.get_by_label("Description")).to_have_value("Fixes the basket")


def test_a_session_that_ended_is_told_in_words(form: Page) -> None:
    form.context.clear_cookies(name="sessionid")
    choose(form, SAMPLES / "android-v1.zip")
    expect(in_field(form, "You are signed out.")).to_be_visible()
    expect(form.get_by_role("button", name="Upload again")).to_be_visible()


def test_an_answer_that_is_no_answer_is_told_in_words(form: Page) -> None:
    def answer(route: Route) -> None:
        route.fulfill(status=502, body="<h1>Bad gateway</h1>")

    form.route("**/codepush/upload/**", answer)
    form.clock.install()
    choose(form, SAMPLES / "android-v1.zip")
    let_it_give_up(form)
    expect(in_field(form, "The server could not take the file (502). Nothing is lost in this form.")).to_be_visible()


def test_what_cannot_be_a_bundle_is_not_even_sent(
    form: Page, complaints: list[str], tmp_path: Path, settings: Settings
) -> None:
    sent: list[str] = []
    form.on("request", lambda request: sent.append(request.url) if "upload" in request.url else None)
    for name, content, sentence in (
        ("photo.png", b"x", "photo.png is not a ZIP archive."),
        ("empty.zip", b"", "empty.zip is empty."),
    ):
        (tmp_path / name).write_bytes(content)
        choose(form, tmp_path / name)
        expect(in_field(form, sentence)).to_be_visible()
        assert_waits(form, "Choose another bundle first.")
    form.locator("input[type=file]").evaluate("input => { input.multiple = true; }")
    form.locator("input[type=file]").set_input_files([SAMPLES / "android-v1.zip", SAMPLES / "android-v2.zip"])
    expect(in_field(form, "Choose one file: the zip that holds the bundle.")).to_be_visible()
    settings.MAX_BUNDLE_BYTES = 800_000
    form.reload()
    choose(form, SAMPLES / "android-v1.zip")
    expect(in_field(form, "has 889.1 kB; at most 800.0 kB are taken here.")).to_be_visible()
    assert [url for url in sent if "/codepush/upload/" in url] == []
    assert complaints == []


def test_a_bundle_that_the_server_refuses_is_told_in_its_words(form: Page, complaints: list[str]) -> None:
    choose(form, SAMPLES / "ios-v1.zip")
    expect(in_field(form, "is an iOS bundle, and this is a build for Android.")).to_be_visible()
    assert_waits(form, "Choose another bundle first.")
    expect(in_field(form, "Checking")).to_have_count(0)
    look_at(form, "upload-refused")
    choose(form, SAMPLES / "android-v1.zip")
    assert_ready(form)
    assert complaints == []


def test_the_content_that_is_live_needs_a_tick(
    page: Page, complaints: list[str], live_server: LiveServer, release_manager: User, build: Build
) -> None:
    release(build, release_manager, sample("android-v1"))
    sign_in(page, live_server, release_manager, at=build_url(build, "codepush/new/"))
    choose(page, SAMPLES / "android-v1.zip")
    expect(page.get_by_text("Same content as v1, which is Live:")).to_be_visible()
    assert_waits(page, "Same content as what is Live.")
    look_at(page, "upload-identical")
    page.get_by_label("Publish even if identical").check()
    assert_ready(page)
    page.get_by_role("button", name="Create CodePush").click()
    expect(page.get_by_text("CodePush created.")).to_be_visible()
    assert complaints == []
