"""Passwords are not guessed, and nobody locks somebody else out."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from builds import rate_limit
from builds.rate_limit import RateLimit
from sign_in import limits

PASSWORD = "a-long-password"
AWAY, HOME = "192.0.2.7", "192.0.2.8"


@pytest.fixture(autouse=True)
def _begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "monotonic", lambda: 1000.0)
    limit = RateLimit(1 / limits.SECONDS_PER_ATTEMPT, limits.ATTEMPTS)
    monkeypatch.setattr(limits, "attempts", limit)


@pytest.fixture
def vera(viewer: User) -> User:
    viewer.set_password(PASSWORD)
    viewer.is_staff = True
    viewer.save()
    return viewer


def sign_in(password: str, *, address: str = AWAY, name: str = "vera", page: str = "/sign-in/") -> bool:
    response = Client().post(page, {"username": name, "password": password}, REMOTE_ADDR=address)
    return response.status_code == 302


def test_after_nine_wrong_ones_the_right_one_signs_in(vera: User) -> None:
    for _ in range(9):
        sign_in("wrong")

    assert sign_in(PASSWORD)
    # And begins anew.
    for _ in range(9):
        sign_in("wrong")
    assert sign_in(PASSWORD)


@pytest.mark.parametrize("page", ["/sign-in/", "/admin/login/"])
def test_after_ten_wrong_ones_not_even_the_right_one(vera: User, page: str) -> None:
    for _ in range(10):
        sign_in("wrong", page=page)

    assert not sign_in(PASSWORD, page=page)
    # Writing the name otherwise is no other name.
    assert not sign_in(PASSWORD, name="VERA", page=page)


def test_somebody_else_cannot_lock_one_out(vera: User) -> None:
    for _ in range(20):
        sign_in("wrong", address=AWAY)

    assert sign_in(PASSWORD, address=HOME)


def test_who_has_to_wait_is_told_how_long(vera: User) -> None:
    for _ in range(10):
        sign_in("wrong")

    page = Client().post("/sign-in/", {"username": "vera", "password": PASSWORD}, REMOTE_ADDR=AWAY).content.decode()
    assert "Too many attempts for this name. Try again in 2 minutes." in page
