"""`manage.py create_admin`: the first account of a new server."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"


def create_admin(username: str = "root", **options: str) -> str:
    output = StringIO()
    call_command("create_admin", username=username, stdout=output, **options)
    return output.getvalue()


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)


def test_the_account_signs_in_and_opens_the_admin() -> None:
    assert "root is an administrator now." in create_admin(email="root@example.com")
    client = Client()
    client.post("/sign-in/", {"username": "root", "password": PASSWORD})
    assert client.get("/admin/auth/user/add/").status_code == 200


def test_a_second_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    create_admin()
    monkeypatch.setenv("ADMIN_PASSWORD", "another-horse-battery")
    assert "root is an administrator already. Nothing was changed." in create_admin()
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize("password", ["short", "1qaz2wsx3edc", "administrator-root"])
def test_a_weak_password_is_refused_in_words(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", password)
    with pytest.raises(CommandError, match=r"This password is too short|too common|too similar"):
        create_admin("administrator-root")
    assert not User.objects.exists()


def test_a_name_of_somebody_else_gives_nobody_rights() -> None:
    UserFactory(username="vera", email="vera@example.com")
    with pytest.raises(CommandError, match="The username 'vera' is taken"):
        create_admin("vera")
    with pytest.raises(CommandError, match="Another account has the e-mail address"):
        create_admin("root", email="vera@example.com")
    assert not User.objects.filter(is_superuser=True).exists()


def test_without_a_terminal_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADMIN_PASSWORD")
    monkeypatch.setattr("sys.stdin", StringIO(""))
    with pytest.raises(CommandError, match="Set ADMIN_PASSWORD"):
        create_admin()
