"""People in front of the browser."""

from django.contrib.auth.models import User
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

PASSWORD = "a-password-for-browsers"


def sign_in(page: Page, server: LiveServer, user: User, *, at: str = "/") -> None:
    """The user is signed in, by the form, and sees the page at that address, with its scripts at work."""
    user.set_password(PASSWORD)
    user.save()
    page.goto(f"{server.url}{at}")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name="Sign in").click()


def leave(page: Page) -> None:
    """Nobody is signed in, and no page refreshes itself, which would lead to the form on its own."""
    page.goto("about:blank")
    page.context.clear_cookies()
