"""A bundle goes up in a browser: what the person sees on the way, and when Create can be pressed."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Dialog, Locator, Page, Route, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from builds.models import Build
from deployments.models import CodePush, Upload
from deployments.services.processing import process_codepush
from tests.browser.screens import look_at
from tests.conftest import SAMPLES
from tests.deployments.pages import build_url
from tests.deployments.stories import release, sample

PASSWORD = "a-password-for-browsers"


def _sign_in(page: Page, live_server: LiveServer, user: User) -> None:
    user.set_password(PASSWORD)
    user.save()
    page.goto(f"{live_server.url}/sign-in/")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture
def form(page: Page, live_server: LiveServer, release_manager: User, build: Build) -> Page:
    """New CodePush, just opened."""
    _sign_in(page, live_server, release_manager)
    page.goto(f"{live_server.url}{build_url(build, 'codepush/new/')}")
    return page


def _choose(page: Page, path: Path) -> None:
    page.locator("input[type=file]").set_input_files(path)


def _in_field(page: Page, text: str | re.Pattern[str]) -> Locator:
    """What people see in the file field."""
    return page.locator(".drop").get_by_text(text).locator("visible=true")


def _slow_down(page: Page, bytes_per_second: int) -> Callable[[], object]:
    """The network takes only so much from now on; until the function is called."""
    session = page.context.new_cdp_session(page)
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", conditions)
    return lambda: session.send("Network.emulateNetworkConditions", {**conditions, "uploadThroughput": -1})


def _assert_waits(page: Page, reason: str) -> None:
    create = page.get_by_role("button", name="Create CodePush")
    expect(create).to_have_attribute("aria-disabled", "true")
    expect(create).to_have_accessible_description(reason)
    expect(page.locator("[data-upload-wait]")).to_be_visible()


def _assert_ready(page: Page) -> None:
    expect(page.get_by_text("Uploaded and checked. Devices get nothing until")).to_be_visible()
    expect(page.get_by_role("button", name="Create CodePush")).not_to_have_attribute("aria-disabled", "true")
    expect(page.locator("[data-upload-wait]")).to_be_hidden()


def test_from_choosing_a_file_to_live(form: Page, complaints: list[str], build: Build) -> None:
    _assert_waits(form, "Choose a bundle first.")
    look_at(form, "upload-empty")
    speed_up = _slow_down(form, 200_000)
    _choose(form, SAMPLES / "android-v1.zip")
    expect(_in_field(form, re.compile(r"^[\d.]+ of 889.1 kB \(\d+%\), about \d s left$"))).to_be_visible()
    _assert_waits(form, "Waiting for the upload.")
    expect(form.locator("form[data-busy]")).to_be_visible()
    expect(form.get_by_role("progressbar", name="Upload progress")).to_be_visible()
    look_at(form, "upload-sending")
    # Described while it goes up.
    form.get_by_label("Description").fill("Fixes the basket")
    speed_up()
    _assert_ready(form)
    for fact in ("android-v1.zip", "889.1 kB", "7 files", "Hermes bytecode 96", "Hash 87d2170ede8f"):
        expect(_in_field(form, re.compile(f"^{fact}$"))).to_be_visible()
    look_at(form, "upload-checked")
    form.get_by_role("button", name="Create CodePush").click()

    expect(form.get_by_text("CodePush created. It becomes Live when processing succeeds.")).to_be_visible()
    codepush = CodePush.objects.get()
    look_at(form, "upload-pending")
    CodePush.objects.update(status="processing", step="diffing", progress_percent=62, started_at=codepush.created_at)
    form.reload()
    expect(form.get_by_text("Building patches")).to_be_visible()
    look_at(form, "upload-processing")
    CodePush.objects.update(status="pending")
    process_codepush(codepush.pk)
    expect(form.get_by_role("heading", name="v1 is the Live update")).to_be_visible()
    expect(form.get_by_role("article", name="v1").get_by_text("Fixes the basket")).to_be_visible()
    assert complaints == []


def test_with_the_keyboard_alone(form: Page, complaints: list[str]) -> None:
    form.get_by_label("Choose a file").focus()
    with form.expect_file_chooser() as chooser:
        form.keyboard.press("Space")
    chooser.value.set_files(SAMPLES / "android-v1.zip")
    _assert_ready(form)
    # The focus stays in the field, on what can be done there now.
    expect(form.get_by_role("button", name="Remove android-v1.zip")).to_be_focused()
    form.keyboard.press("Enter")
    expect(form.get_by_label("Choose a file")).to_be_focused()
    _assert_waits(form, "Choose a bundle first.")
    form.get_by_label("Rollout", exact=True).press("Enter")
    expect(form.get_by_label("Choose a file")).to_be_focused()
    assert not CodePush.objects.exists()
    _choose(form, SAMPLES / "android-v2.zip")
    _assert_ready(form)
    form.get_by_label("Rollout", exact=True).press("Enter")
    expect(form.get_by_text("CodePush created.")).to_be_visible()
    assert complaints == []


def test_an_upload_is_canceled_in_the_middle(form: Page, complaints: list[str]) -> None:
    speed_up = _slow_down(form, 100_000)
    _choose(form, SAMPLES / "android-v1.zip")
    expect(_in_field(form, re.compile("left$"))).to_be_visible()
    # Leaving now is asked about first.
    questions: list[str] = []

    def stay(question: Dialog) -> None:
        questions.append(question.type)
        question.dismiss()

    form.once("dialog", stay)
    form.get_by_role("link", name="Cancel").click()
    assert questions == ["beforeunload"]
    form.get_by_role("button", name="Cancel the upload").click()
    expect(form.get_by_role("progressbar")).to_be_hidden()
    expect(form.get_by_text("Upload canceled.")).to_be_attached()
    _assert_waits(form, "Choose a bundle first.")
    expect(form.locator("form[data-busy]")).to_have_count(0)
    speed_up()
    assert not Upload.objects.exists()
    _choose(form, SAMPLES / "android-v1.zip")
    _assert_ready(form)
    assert complaints == []


def test_when_the_connection_breaks_the_form_is_kept_and_it_goes_up_again(form: Page) -> None:
    form.get_by_label("Description").fill("Fixes the basket")
    form.route("**/codepush/upload/**", lambda route: route.abort("connectionreset"))
    _choose(form, SAMPLES / "android-v1.zip")
    expect(_in_field(form, "The connection broke before the upload was done.")).to_be_visible()
    _assert_waits(form, "The bundle is not uploaded yet.")
    look_at(form, "upload-lost")
    form.unroute("**/codepush/upload/**")
    form.get_by_role("button", name="Upload again").click()
    _assert_ready(form)
    expect(form.get_by_label("Description")).to_have_value("Fixes the basket")


def test_a_session_that_ended_is_told_in_words(form: Page) -> None:
    form.context.clear_cookies(name="sessionid")
    _choose(form, SAMPLES / "android-v1.zip")
    expect(_in_field(form, "You are signed out.")).to_be_visible()
    expect(form.get_by_role("button", name="Upload again")).to_be_visible()


def test_an_answer_that_is_no_answer_is_told_in_words(form: Page) -> None:
    def answer(route: Route) -> None:
        route.fulfill(status=502, body="<h1>Bad gateway</h1>")

    form.route("**/codepush/upload/**", answer)
    _choose(form, SAMPLES / "android-v1.zip")
    expect(_in_field(form, "The server could not take the file (502). Upload it again in a minute.")).to_be_visible()


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
        _choose(form, tmp_path / name)
        expect(_in_field(form, sentence)).to_be_visible()
        _assert_waits(form, "Choose another bundle first.")
    settings.MAX_BUNDLE_BYTES = 800_000
    form.reload()
    _choose(form, SAMPLES / "android-v1.zip")
    expect(_in_field(form, "has 889.1 kB; at most 800.0 kB are taken here.")).to_be_visible()
    assert [url for url in sent if "/codepush/upload/" in url] == []
    assert complaints == []


def test_a_bundle_that_the_server_refuses_is_told_in_its_words(form: Page) -> None:
    _choose(form, SAMPLES / "ios-v1.zip")
    expect(_in_field(form, "is an iOS bundle, and this is a build for Android.")).to_be_visible()
    _assert_waits(form, "Choose another bundle first.")
    expect(_in_field(form, "Checking")).to_have_count(0)
    look_at(form, "upload-refused")
    _choose(form, SAMPLES / "android-v1.zip")
    _assert_ready(form)


def test_the_content_that_is_live_needs_a_tick(
    page: Page, complaints: list[str], live_server: LiveServer, release_manager: User, build: Build
) -> None:
    release(build, release_manager, sample("android-v1"))
    _sign_in(page, live_server, release_manager)
    page.goto(f"{live_server.url}{build_url(build, 'codepush/new/')}")
    _choose(page, SAMPLES / "android-v1.zip")
    expect(page.get_by_text("Same content as v1, which is Live:")).to_be_visible()
    _assert_waits(page, "Same content as what is Live.")
    look_at(page, "upload-identical")
    page.get_by_label("Publish even if identical").check()
    _assert_ready(page)
    page.get_by_role("button", name="Create CodePush").click()
    expect(page.get_by_text("CodePush created.")).to_be_visible()
    assert complaints == []


def test_a_file_is_dropped(form: Page, complaints: list[str]) -> None:
    files = form.evaluate_handle(
        """async (bytes) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "dropped.zip"));
            return transfer;
        }""",
        list((SAMPLES / "android-v1.zip").read_bytes()),
    )
    form.dispatch_event(".drop", "dragover", {"dataTransfer": files})
    expect(form.locator(".drop")).to_have_class(re.compile("is-over"))
    form.dispatch_event("h1", "drop", {"dataTransfer": files})
    expect(form.locator(".drop")).not_to_have_class(re.compile("is-over"))
    assert not Upload.objects.exists()
    form.dispatch_event(".drop", "drop", {"dataTransfer": files})
    _assert_ready(form)
    expect(_in_field(form, "dropped.zip")).to_be_visible()
    assert complaints == []


def test_a_field_that_is_swapped_in_later_works_in_a_dialog(
    page: Page, complaints: list[str], live_server: LiveServer, release_manager: User, build: Build
) -> None:
    _sign_in(page, live_server, release_manager)
    page.goto(f"{live_server.url}{build_url(build)}")
    page.evaluate(
        """async (address) => {
            const text = await (await fetch(address)).text();
            const dialog = document.createElement("dialog");
            document.body.append(dialog);
            dialog.append(new DOMParser().parseFromString(text, "text/html").querySelector("form[enctype^=multi]"));
            dialog.querySelector("form").action = address;
            dialog.showModal();
            dialog.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true }));
        }""",
        build_url(build, "codepush/new/"),
    )
    _assert_waits(page, "Choose a bundle first.")
    _choose(page, SAMPLES / "android-v1.zip")
    _assert_ready(page)
    page.get_by_role("button", name="Create CodePush").click()
    expect(page.get_by_text("CodePush created.")).to_be_visible()
    assert complaints == []


def test_without_javascript_the_file_is_kept_when_another_field_is_refused(
    browser: Browser, live_server: LiveServer, release_manager: User, build: Build
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    _sign_in(page, live_server, release_manager)
    page.goto(f"{live_server.url}{build_url(build, 'codepush/new/')}")
    _choose(page, SAMPLES / "android-v1.zip")
    page.get_by_label("Rollout", exact=True).fill("half")
    page.get_by_role("button", name="Create CodePush").click()
    expect(page.get_by_text("Uploaded and checked.")).to_be_visible()
    expect(page.get_by_text("Choose another file to use that one instead.")).to_be_visible()
    page.get_by_label("Rollout", exact=True).fill("50")
    page.get_by_role("button", name="Create CodePush").click()
    expect(page.get_by_text("CodePush created.")).to_be_visible()
    context.close()
