"""A bundle goes up in parts: a connection that breaks costs the last part, and not the upload."""

import re

import pytest
from playwright.sync_api import Page, Request, Route, expect

from deployments.models import Upload
from deployments.services import upload_parts
from tests.browser.screens import look_at
from tests.browser.uploading import assert_ready, assert_waits, choose, in_field, let_it_give_up
from tests.conftest import SAMPLES
from tests.deployments.stories import stored_files

SIZE = 889_082
PART = 300_000


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_parts, "PART_BYTES", PART)


@pytest.fixture
def sent(form: Page) -> list[str]:
    """Where each part began that was sent, and "end" for the request that joins them."""
    starts: list[str] = []

    def note(request: Request) -> None:
        if "/codepush/upload/" in request.url:
            start = re.search(r"start=(\d+)", request.url)
            starts.append(start[1] if start else "end")

    form.on("request", note)
    # The server renders the field anew, with the size that parts have in this test.
    form.reload()
    assert_waits(form, "Choose a bundle first.")
    return starts


def cut(form: Page, start: str, times: int = 1000) -> None:
    """The part that begins there does not arrive, so many times."""
    rest = [None] * times

    def answer(route: Route) -> None:
        if f"start={start}" in route.request.url and rest:
            rest.pop()
            route.abort("connectionreset")
        else:
            route.continue_()

    form.route("**/codepush/upload/**", answer)


def test_a_large_file_goes_up_in_parts_and_is_checked_as_one(
    form: Page, complaints: list[str], sent: list[str]
) -> None:
    choose(form, SAMPLES / "android-v1.zip")
    assert_ready(form)
    assert sent == ["0", "300000", "600000", "end"]
    upload = Upload.objects.get()
    assert upload.size_bytes == SIZE
    assert stored_files() == {upload.storage_name}
    assert complaints == []


def test_after_a_break_the_rest_goes_up_by_itself(form: Page, sent: list[str]) -> None:
    cut(form, "300000", times=2)
    choose(form, SAMPLES / "android-v1.zip")
    expect(in_field(form, re.compile("^0.3 of 889.1|^300.0 of 889.1 kB. No connection: trying again"))).to_be_visible()
    assert_ready(form)
    assert sent == ["0", "300000", "300000", "300000", "600000", "end"]


def test_resume_goes_on_where_the_server_has_it(form: Page, sent: list[str]) -> None:
    cut(form, "600000")
    form.clock.install()
    choose(form, SAMPLES / "android-v1.zip")
    let_it_give_up(form)
    expect(in_field(form, "600.0 of 889.1 kB are on the server: Resume goes on from there.")).to_be_visible()
    assert_waits(form, "The bundle is not uploaded yet.")
    look_at(form, "upload-resume")
    form.unroute("**/codepush/upload/**")
    sent.clear()
    form.get_by_role("button", name="Resume").click()
    assert_ready(form)
    assert sent == ["600000", "end"]


def test_it_is_canceled_while_it_waits_to_try_again(form: Page, sent: list[str]) -> None:
    cut(form, "300000")
    choose(form, SAMPLES / "android-v1.zip")
    expect(in_field(form, re.compile("trying again"))).to_be_visible()
    form.get_by_role("button", name="Cancel the upload").click()
    assert_waits(form, "Choose a bundle first.")
    sent.clear()
    form.unroute("**/codepush/upload/**")
    # The next file has a key of its own, and begins at the beginning.
    choose(form, SAMPLES / "android-v1.zip")
    assert_ready(form)
    assert sent == ["0", "300000", "600000", "end"]


def test_parts_that_the_server_lost_go_up_again(form: Page, sent: list[str]) -> None:
    def lose(route: Route) -> None:
        if "size=" in route.request.url and not lost:
            lost.append(True)
            route.fulfill(status=409, headers={"Upload-Held": "300000"})
        else:
            route.continue_()

    lost: list[bool] = []
    form.route("**/codepush/upload/**", lose)
    choose(form, SAMPLES / "android-v1.zip")
    assert_ready(form)
    assert sent == ["0", "300000", "600000", "end", "300000", "600000", "end"]
