"""A bundle goes up in a browser: what the person sees on the way, and when Create can be pressed."""

import re

from django.contrib.auth.models import User
from playwright.sync_api import Browser, Dialog, Page, expect
from pytest_django.live_server_helper import LiveServer

from builds.models import Build
from deployments.models import CodePush, Upload
from deployments.services.processing import process_codepush
from tests.browser.people import sign_in
from tests.browser.screens import look_at
from tests.browser.uploading import assert_ready, assert_waits, choose, in_field, slow_down
from tests.conftest import SAMPLES
from tests.deployments.pages import build_url


def test_from_choosing_a_file_to_live(form: Page, complaints: list[str], build: Build) -> None:
    look_at(form, "upload-empty")
    speed_up = slow_down(form, 40_000)
    choose(form, SAMPLES / "android-v1.zip")
    expect(in_field(form, re.compile(r"^[\d.]+ of 889.1 kB \(\d+%\), about \d+ s left$"))).to_be_visible()
    assert_waits(form, "Waiting for the upload.")
    expect(form.locator("form[data-busy]")).to_be_visible()
    expect(form.get_by_role("progressbar", name="Upload progress")).to_be_visible()
    look_at(form, "upload-sending")
    # Described while it goes up.
    form.get_by_label("Description").fill("Fixes the basket")
    speed_up()
    assert_ready(form)
    for fact in ("android-v1.zip", "889.1 kB", "7 files", "Hermes bytecode 96", "Hash 87d2170ede8f"):
        expect(in_field(form, re.compile(f"^{fact}$"))).to_be_visible()
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
    # Asked for well before the key is pressed: the browser must know by then that no window is to be opened.
    form.on("filechooser", lambda chooser: chooser.set_files(SAMPLES / "android-v1.zip"))
    form.get_by_label("Choose a file").focus()
    expect(form.get_by_label("Choose a file")).to_be_focused()
    form.keyboard.press("Space")
    assert_ready(form)
    # The focus stays in the field, on what can be done there now.
    expect(form.get_by_role("button", name="Remove android-v1.zip")).to_be_focused()
    form.keyboard.press("Enter")
    expect(form.get_by_label("Choose a file")).to_be_focused()
    assert_waits(form, "Choose a bundle first.")
    form.get_by_label("Rollout", exact=True).press("Enter")
    expect(form.get_by_label("Choose a file")).to_be_focused()
    assert not CodePush.objects.exists()
    choose(form, SAMPLES / "android-v2.zip")
    assert_ready(form)
    form.get_by_label("Rollout", exact=True).press("Enter")
    expect(form.get_by_text("CodePush created.")).to_be_visible()
    assert complaints == []


def test_an_upload_is_canceled_in_the_middle(form: Page, complaints: list[str]) -> None:
    speed_up = slow_down(form, 40_000)
    choose(form, SAMPLES / "android-v1.zip")
    expect(in_field(form, re.compile("left$"))).to_be_visible()
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
    assert_waits(form, "Choose a bundle first.")
    expect(form.locator("form[data-busy]")).to_have_count(0)
    speed_up()
    assert not Upload.objects.exists()
    choose(form, SAMPLES / "android-v1.zip")
    assert_ready(form)
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
    assert_ready(form)
    expect(in_field(form, "dropped.zip")).to_be_visible()
    assert complaints == []


def test_the_field_works_in_the_dialog_however_often_that_is_opened(
    page: Page, complaints: list[str], live_server: LiveServer, release_manager: User, build: Build
) -> None:
    sign_in(page, live_server, release_manager, at=build_url(build))
    opener = page.get_by_role("main").get_by_role("link", name="CodePush", exact=True).first
    for _ in range(2):
        opener.click()
        # The scripts of the field come with the first dialog that needs them.
        assert_waits(page, "Choose a bundle first.")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
    opener.click()
    choose(page, SAMPLES / "android-v1.zip")
    assert_ready(page)
    page.get_by_role("dialog").get_by_role("button", name="Create CodePush").click()
    expect(page.get_by_text("CodePush created.")).to_be_visible()
    assert complaints == []


def test_without_javascript_the_file_is_kept_when_another_field_is_refused(
    browser: Browser, live_server: LiveServer, release_manager: User, build: Build
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    sign_in(page, live_server, release_manager)
    page.goto(f"{live_server.url}{build_url(build, 'codepush/new/')}")
    choose(page, SAMPLES / "android-v1.zip")
    page.get_by_label("Rollout", exact=True).fill("half")
    page.get_by_role("button", name="Create CodePush").click()
    expect(page.get_by_text("Uploaded and checked.")).to_be_visible()
    expect(page.get_by_text("Choose another file to use that one instead.")).to_be_visible()
    page.get_by_label("Rollout", exact=True).fill("50")
    page.get_by_role("button", name="Create CodePush").click()
    expect(page.get_by_text("CodePush created.")).to_be_visible()
    context.close()
