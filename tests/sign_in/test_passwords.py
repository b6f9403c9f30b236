"""How passwords are kept: Argon2, and older hashes until their owner signs in."""

import pytest
from argon2 import extract_parameters
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from codepush_site import settings as product

PASSWORD = "correct-horse-battery"


@pytest.fixture(autouse=True)
def _real_hashers(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = product.PASSWORD_HASHERS


def test_a_new_password_is_kept_as_argon2(viewer: User) -> None:
    viewer.set_password(PASSWORD)
    assert viewer.password.startswith("argon2$argon2id$")
    parameters = extract_parameters(viewer.password.removeprefix("argon2"))
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19_456, 2, 1)


def test_an_older_hash_is_made_anew_at_sign_in(viewer: User) -> None:
    viewer.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    viewer.save()
    assert Client().post("/sign-in/", {"username": "vera", "password": PASSWORD}).status_code == 302
    viewer.refresh_from_db()
    assert viewer.password.startswith("argon2$")
    assert viewer.check_password(PASSWORD)
