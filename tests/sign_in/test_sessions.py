"""Where somebody is signed in: listed under Account, and ended from there."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from builds.models import AuditEntry
from sign_in import sessions
from sign_in.browsers import name_browser
from sign_in.models import OpenSession
from tests.deployments.pages import AsUser, text_of

PASSWORD = "correct-horse-battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"


@pytest.fixture
def vera(viewer: User) -> User:
    viewer.set_password(PASSWORD)
    viewer.save()
    return viewer


def sign_in(browser: str, *, address: str = "192.0.2.7") -> Client:
    client = Client(HTTP_USER_AGENT=browser, REMOTE_ADDR=address)
    assert client.post("/sign-in/", {"username": "vera", "password": PASSWORD}).status_code == 302
    return client


def test_each_session_is_listed_with_browser_and_address(vera: User, outsider: User, as_user: AsUser) -> None:
    as_user(outsider)
    sign_in(SAFARI, address="192.0.2.9")
    page = text_of(sign_in(FIREFOX).get("/account/"))
    for shown in ("Firefox on Linux", "(this one)", "192.0.2.7", "Safari on iPhone", "192.0.2.9"):
        assert shown in page
    assert page.count("(this one)") == 1
    assert page.count("Since ") == 2


def test_one_session_is_ended(vera: User) -> None:
    phone, here = sign_in(SAFARI), sign_in(FIREFOX)
    ended = OpenSession.objects.get(browser=SAFARI)
    answer = here.post(f"/account/sessions/{ended.pk}/end/", follow=True)
    assert "You are signed out there." in text_of(answer)
    assert phone.get("/account/").status_code == 302
    assert here.get("/account/").status_code == 200
    entry = AuditEntry.objects.get(actor=vera, action="account.session_ended")
    assert (entry.project, entry.before) == (None, {"browser": SAFARI, "address": "192.0.2.7"})
    again = here.post(f"/account/sessions/{ended.pk}/end/", follow=True)
    assert "You were signed out there already." in text_of(again)


def test_all_others_are_ended_at_once(vera: User) -> None:
    others, here = [sign_in(SAFARI), sign_in(FIREFOX)], sign_in(FIREFOX)
    answer = here.post("/account/sessions/end/", follow=True)
    assert "You are signed out everywhere else." in text_of(answer)
    assert [other.get("/account/").status_code for other in others] == [302, 302]
    assert Session.objects.count() == OpenSession.objects.count() == 1


def test_nobody_ends_sessions_of_others(vera: User, outsider: User, as_user: AsUser) -> None:
    phone = sign_in(SAFARI)
    as_user(outsider).post(f"/account/sessions/{OpenSession.objects.get(browser=SAFARI).pk}/end/")
    assert phone.get("/account/").status_code == 200


def test_an_ended_session_is_not_listed(vera: User) -> None:
    phone, here = sign_in(SAFARI), sign_in(FIREFOX)
    phone.post("/sign-out/")
    assert "Safari" not in text_of(here.get("/account/"))


def test_after_a_new_password_this_session_is_still_listed_and_goes_on(vera: User) -> None:
    phone, here = sign_in(SAFARI), sign_in(FIREFOX)
    form = {"current_password": PASSWORD, "new_password": "staple-battery-horse", "again": "staple-battery-horse"}
    here.post("/account/password/", form)
    page = text_of(here.get("/account/"))
    assert "(this one)" in page
    assert "Safari on iPhone" not in page.split("What happened to your account")[0]
    assert phone.get("/account/").status_code == 302
    assert AuditEntry.objects.filter(actor=vera, action="account.password_changed").count() == 1


def test_wrong_current_passwords_are_limited_as_at_sign_in(vera: User) -> None:
    here = sign_in(FIREFOX)
    form = {"current_password": "wrong", "new_password": "staple-battery-horse", "again": "staple-battery-horse"}
    for _ in range(10):
        here.post("/account/password/", form)
    answer = here.post("/account/password/", {**form, "current_password": PASSWORD})
    assert "Too many attempts for this name." in text_of(answer)


def test_last_seen_is_written_at_most_every_five_minutes(
    vera: User, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = sign_in(FIREFOX)
    # Session, user; tokens; what runs, for the header.
    with django_assert_num_queries(4):
        here.get("/account/tokens/")
    OpenSession.objects.update(last_seen_at="2026-01-01T00:00Z")
    monkeypatch.setattr(sessions, "SEEN_EVERY_SECONDS", 0)
    here.get("/projects/", headers={"HX-Request": "true"})
    assert OpenSession.objects.get().last_seen_at.isoformat().startswith("2026-01-01"), "An open page asks by itself."
    here.get("/account/")
    assert not OpenSession.objects.get().last_seen_at.isoformat().startswith("2026-01-01")


def test_a_session_from_before_is_listed_when_it_is_used(vera: User) -> None:
    here = sign_in(FIREFOX)
    OpenSession.objects.all().delete()
    session = here.session
    del session["seen_at"]
    session.save()
    here.get("/account/")
    assert "Firefox on Linux" in text_of(here.get("/account/"))


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.0", "curl/8.0"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_are_named_in_words(user_agent: str, name: str) -> None:
    assert name_browser(user_agent) == name
