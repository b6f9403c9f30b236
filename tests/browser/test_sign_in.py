"""Second factors, sessions and invitations in a browser, at both widths and in both themes."""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import CDPSession, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from builds.models import Project
from sign_in import invitations
from tests.browser.people import PASSWORD, sign_in
from tests.browser.screens import look_at
from tests.sign_in.apps import App

_KEY = {
    "protocol": "ctap2",
    "transport": "usb",
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


_SEND_RUBBISH = """() => {
  const form = document.querySelector("form[data-security-key]");
  const answer = { clientDataJSON: "e30", authenticatorData: "AA", signature: "AA" };
  form.elements.credential.value = JSON.stringify({ id: "AA", rawId: "AA", type: "public-key", response: answer });
  form.requestSubmit();
}"""


@pytest.fixture
def plugged(page: Page) -> Iterator[CDPSession]:
    """A security key is plugged in, and touched whenever it blinks."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": _KEY})
    yield session
    session.detach()


def _sign_out(page: Page) -> None:
    page.locator("summary").first.click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url(re.compile("/sign-in/"))


def _give_password(page: Page, user: User) -> None:
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_a_security_key_is_added_used_and_removed(
    page: Page, complaints: list[str], live_server: LiveServer, viewer: User, plugged: CDPSession
) -> None:
    sign_in(page, live_server, viewer, at="/account/keys/new/")
    page.get_by_role("button", name="Add key").click()
    expect(page.get_by_label("Name")).to_be_focused()
    page.get_by_label("Name").fill("Blue key")
    look_at(page, "key-add")
    page.get_by_role("button", name="Add key").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("Blue key").first).to_be_visible()

    _sign_out(page)
    _give_password(page, viewer)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    look_at(page, "factor")
    page.evaluate(_SEND_RUBBISH)
    expect(page.get_by_text("This key is not one of yours.")).to_be_visible()
    page.get_by_role("button", name="Use a security key").click()
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()

    page.goto(f"{live_server.url}/account/")
    page.get_by_role("link", name="Remove Blue key").click()
    look_at(page, "key-remove")
    page.get_by_role("button", name="Remove key").click()
    expect(page.get_by_text("The security key is removed.")).to_be_visible()
    assert complaints == []


def test_a_key_confirms_that_it_is_oneself(
    page: Page, complaints: list[str], live_server: LiveServer, viewer: User, plugged: CDPSession, settings: Settings
) -> None:
    sign_in(page, live_server, viewer, at="/account/keys/new/")
    page.get_by_label("Name").fill("Blue key")
    page.get_by_role("button", name="Add key").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    page.goto(f"{live_server.url}/account/recovery-codes/new/")
    look_at(page, "confirm-password")
    page.get_by_role("link", name="Use a security key instead").click()
    look_at(page, "confirm-key")
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
    page.get_by_role("button", name="Use a security key").click()
    expect(page.get_by_role("heading", name="Make new recovery codes")).to_be_visible()
    look_at(page, "codes-renew")
    assert complaints == []


def test_a_key_that_does_not_answer_is_told(page: Page, live_server: LiveServer, viewer: User) -> None:
    sign_in(page, live_server, viewer, at="/account/keys/new/")
    page.evaluate("() => { navigator.credentials.create = () => Promise.reject(new Error('no key')); }")
    page.get_by_label("Name").fill("Blue key")
    page.get_by_role("button", name="Add key").click()
    expect(page.get_by_role("alert")).to_contain_text("The key did not answer.")


def test_an_app_is_set_up_from_the_project_that_asks_for_it(
    page: Page, complaints: list[str], live_server: LiveServer, viewer: User, project: Project
) -> None:
    Project.objects.update(needs_second_factor=True)
    sign_in(page, live_server, viewer)
    expect(page.get_by_text("asks for a second factor: Northwind Outdoor.")).to_be_visible()
    look_at(page, "projects-locked")
    page.goto(f"{live_server.url}/projects/northwind-outdoor/")
    look_at(page, "factor-needed")
    # That it was refused is a status in the console, and what was expected.
    complaints.clear()
    page.get_by_role("link", name="Set up an app").click()
    look_at(page, "app-set-up")
    secret = page.get_by_role("button", name="Copy secret").get_attribute("data-copy") or ""
    page.get_by_label("Code", exact=True).fill(App(secret).code())
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    look_at(page, "codes")
    page.get_by_role("link", name="I have kept them").click()
    look_at(page, "account")
    page.goto(f"{live_server.url}/projects/northwind-outdoor/")
    expect(page.get_by_role("heading", name="Northwind Outdoor")).to_be_visible()
    assert complaints == []


def test_an_admin_invites_and_somebody_new_comes_in(
    page: Page, complaints: list[str], live_server: LiveServer, owner: User, project: Project
) -> None:
    sign_in(page, live_server, owner, at="/projects/northwind-outdoor/settings/")
    page.get_by_role("link", name="Invite").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("E-mail address").fill("nia@example.com")
    dialog.get_by_text("Release manager").click()
    look_at(page, "member-invite")
    # Nothing listens to the broker of the suite: the invitation stands, and the mail is still to be sent.
    dialog.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_role("cell", name="nia@example.com By Olga Kaya")).to_be_visible()
    look_at(page, "settings-invited")
    page.get_by_role("link", name="Change whether members need one").click()
    look_at(page, "project-second-factor")
    page.keyboard.press("Escape")
    link = f"{live_server.url}/invitations/{invitations.sign(invitations.list_open(project).get())}/"

    page.goto(link)
    look_at(page, "invitation-other-account")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    page.goto(link)
    look_at(page, "invitation-new-account")
    page.get_by_label("First name").fill("Nia")
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password again").fill(PASSWORD)
    complaints.clear()
    page.get_by_role("button", name="Make account and join").click()
    expect(page.get_by_role("heading", name="Northwind Outdoor")).to_be_visible()
    assert complaints == []


def test_pages_around_sign_in(page: Page, live_server: LiveServer, settings: Settings, viewer: User) -> None:
    settings.OIDC_ISSUER, settings.OIDC_NAME = "https://id.example", "Northwind ID"
    page.goto(f"{live_server.url}/sign-in/")
    expect(page.get_by_role("link", name="Sign in with Northwind ID")).to_be_visible()
    look_at(page, "sign-in-sso")
    page.get_by_role("link", name="Forgot the password?").click()
    look_at(page, "password-forgotten")
    page.goto(f"{live_server.url}/sign-in/reset/MQ/abc/")
    look_at(page, "password-reset-dead")
    page.goto(f"{live_server.url}/invitations/abc/")
    look_at(page, "invitation-dead")


def test_a_session_is_ended_from_the_list(
    page: Page, complaints: list[str], live_server: LiveServer, viewer: User
) -> None:
    viewer.open_sessions.create(session_key="x", browser="x", last_seen_at=timezone.now())
    sign_in(page, live_server, viewer, at="/account/")
    expect(page.get_by_text("Chrome on Linux")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out everywhere else")).to_have_count(0)
    page.get_by_role("link", name="Change e-mail address").click()
    look_at(page, "account-email")
    assert complaints == []
