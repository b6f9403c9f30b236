"""What second factors are made of is sealed in the database, and opens while SECRET_KEY is replaced."""

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from codepush_site.schedule import SCHEDULE
from sign_in.tasks import seal_second_factors
from tests.deployments.pages import text_of
from tests.sign_in.apps import App, begin_sign_in, give_app, give_password, list_codes, set_up_app
from tests.sign_in.test_second_factor import STEP


@pytest.fixture
def vera(viewer: User) -> User:
    return give_password(viewer)


def _read_table() -> str:
    """As a dump of the database has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator ORDER BY id")
        return " ".join(str(data) for (data,) in cursor.fetchall())


def _signs_in(code: str) -> bool:
    client, _ = begin_sign_in("vera")
    status: int = client.post(STEP, {"code": code}).status_code
    return status == 302


def _write_plainly(user: User, app: App) -> None:
    """As versions did that sealed nothing."""
    Authenticator.objects.filter(user=user, type="totp").update(data={"secret": app.secret})
    Authenticator.objects.filter(user=user, type="recovery_codes").update(data={"seed": "0a" * 40, "used_mask": 0})


def test_the_database_has_neither_the_secret_nor_the_seed(vera: User) -> None:
    client, _ = begin_sign_in("vera")
    app = set_up_app(client)
    written = _read_table()

    assert app.secret not in written
    assert written.count("sealed:") == 2
    assert _signs_in(app.code(1))
    assert _signs_in(list_codes(vera)[0])


def test_what_is_sealed_as_it_should_be_is_not_written_every_night(vera: User) -> None:
    give_app(vera)
    before = _read_table()
    seal_second_factors()

    assert _read_table() == before


def test_what_was_written_before_anything_was_sealed_works_and_is_sealed_at_night(vera: User) -> None:
    app = give_app(vera)
    _write_plainly(vera, app)
    codes = list_codes(vera)
    assert app.secret in _read_table()
    assert _signs_in(app.code())
    seal_second_factors()

    assert app.secret not in _read_table()
    assert _signs_in(app.code(1))
    assert list_codes(vera) == codes
    assert seal_second_factors.name in {entry["task"] for entry in SCHEDULE.values()}


def test_a_secret_key_is_replaced_in_two_steps(vera: User, settings: Settings) -> None:
    app = give_app(vera)
    old, codes = settings.SECRET_KEY, list_codes(vera)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the-new-one", [old]
    assert _signs_in(app.code())
    seal_second_factors()
    settings.SECRET_KEY_FALLBACKS = []

    assert _signs_in(app.code(1))
    assert list_codes(vera) == codes


def test_without_the_old_secret_key_no_code_is_right_and_every_page_works(vera: User, settings: Settings) -> None:
    app = give_app(vera)
    codes = list_codes(vera)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    client, _ = begin_sign_in("vera")
    for code in (app.code(), codes[0]):
        answer = client.post(STEP, {"code": code})
        assert (answer.status_code, "This code is not right" in text_of(answer)) == (200, True)
    client.force_login(vera)
    assert "10 recovery codes left" in text_of(client.get("/account/"))
    with pytest.raises(CommandError, match="2 cannot be opened"):
        call_command("seal_second_factors", stdout=StringIO())
    settings.SECRET_KEY = old

    assert _signs_in(app.code())


def test_going_back_to_a_version_that_cannot_open_it_is_possible(vera: User) -> None:
    app = give_app(vera)
    output = StringIO()
    call_command("seal_second_factors", "--undo", stdout=output)

    assert output.getvalue() == "2 opened.\n"
    assert Authenticator.objects.get(user=vera, type="totp").data["secret"] == app.secret
    call_command("seal_second_factors", stdout=output)
    assert app.secret not in _read_table()
