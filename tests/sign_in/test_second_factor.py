"""An authenticator app and recovery codes: set up, asked for at sign-in, used up, removed."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from builds.models import AuditEntry
from tests.deployments.pages import AsUser, text_of
from tests.sign_in.apps import PASSWORD, App, begin_sign_in, give_app, give_password, list_codes, set_up_app

STEP = "/sign-in/second-factor/"


@pytest.fixture
def vera(viewer: User) -> User:
    return give_password(viewer)


@pytest.fixture
def app(vera: User) -> App:
    return give_app(vera)


def _audited(user: User) -> list[str]:
    return sorted(AuditEntry.objects.filter(actor=user, project=None).values_list("action", flat=True))


def test_an_app_is_set_up_by_who_has_just_signed_in(vera: User) -> None:
    client, _ = begin_sign_in("vera")
    set_up_app(client)
    page = text_of(client.get("/account/recovery-codes/"))
    codes = list_codes(vera)
    assert len(codes) == 10
    assert all(code in page for code in codes)
    again = text_of(client.get("/account/recovery-codes/"))
    assert "10 of 10 are left." in again
    assert not any(code in again for code in codes)
    account = text_of(client.get("/account/"))
    assert "Authenticator app" in account
    assert "10 recovery codes left" in account
    assert _audited(vera) == ["account.factor_added"]


def test_others_confirm_their_password_first(vera: User, as_user: AsUser) -> None:
    client = as_user(vera)
    asked = client.get("/account/app/")
    assert asked.headers["Location"] == "/account/confirm/?next=%2Faccount%2Fapp%2F"
    wrong = client.post(asked.headers["Location"], {"password": "wrong"})
    assert "This is not your password." in text_of(wrong)
    answer = client.post(asked.headers["Location"], {"password": PASSWORD})
    assert answer.headers["Location"] == "/account/app/"
    assert client.get("/account/app/").status_code == 200


def test_confirming_is_limited_as_sign_in_is(vera: User, as_user: AsUser) -> None:
    client = as_user(vera)
    for _ in range(10):
        client.post("/account/confirm/", {"password": "wrong"})
    assert "Too many attempts for this name." in text_of(client.post("/account/confirm/", {"password": PASSWORD}))


@pytest.mark.parametrize("next_page", ["//evil.example/", "https://evil.example/", "/\\evil.example", "/a\r\nb: c"])
def test_confirming_leads_nowhere_else(vera: User, as_user: AsUser, next_page: str) -> None:
    answer = as_user(vera).post("/account/confirm/", {"password": PASSWORD, "next": next_page})
    assert answer.status_code == 302
    assert "evil" not in answer.headers["Location"]
    assert "b" not in answer.headers


def test_a_wrong_code_sets_up_nothing(vera: User) -> None:
    client, _ = begin_sign_in("vera")
    client.get("/account/app/")
    assert "This code is not right." in text_of(client.post("/account/app/", {"code": "000000"}))
    assert _audited(vera) == []


def test_the_first_factor_ends_sessions_that_were_opened_without_one(vera: User, as_user: AsUser) -> None:
    elsewhere = as_user(vera)
    client, _ = begin_sign_in("vera")
    set_up_app(client)
    assert elsewhere.get("/account/").status_code == 302
    assert client.get("/account/").status_code == 200


def test_the_password_alone_does_not_sign_in(app: App) -> None:
    client, led_to = begin_sign_in("vera")
    assert led_to == STEP
    assert client.get("/projects/").status_code == 302
    assert client.get(STEP).status_code == 200


def test_password_and_code_lead_to_where_one_wanted_to_go(vera: User, app: App) -> None:
    client = Client()
    form = {"username": "vera", "password": PASSWORD, "next": "/deployments/"}
    assert client.post("/sign-in/?next=/deployments/", form).headers["Location"] == STEP
    assert client.post(STEP, {"code": app.code()}).headers["Location"] == "/deployments/"
    assert client.get("/account/").status_code == 200


@pytest.mark.parametrize("ahead", [-1, 1])
def test_a_phone_half_a_minute_off_is_right(app: App, ahead: int) -> None:
    client, _ = begin_sign_in("vera")
    assert client.post(STEP, {"code": app.code(ahead)}).status_code == 302


@pytest.mark.parametrize("code", ["000000", "", "12345", "x" * 500, "٣٤٥٦٧٨"])
def test_what_is_no_code_is_refused_in_words(app: App, code: str) -> None:
    client, _ = begin_sign_in("vera")
    answer = client.post(STEP, {"code": code})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert client.get("/projects/").status_code == 302


def test_a_code_is_right_once(app: App) -> None:
    code = app.code()
    first, _ = begin_sign_in("vera")
    assert first.post(STEP, {"code": code}).status_code == 302
    second, _ = begin_sign_in("vera")
    assert "was used before" in text_of(second.post(STEP, {"code": code}))
    assert "was used before" in text_of(second.post(STEP, {"code": app.code(-1)})), "An older one is no newer one."
    assert second.post(STEP, {"code": app.code(1)}).status_code == 302


def test_a_recovery_code_is_right_once(vera: User, app: App) -> None:
    code = list_codes(vera)[3]
    first, _ = begin_sign_in("vera")
    assert first.post(STEP, {"code": code}).status_code == 302
    assert "9 recovery codes left" in text_of(first.get("/account/"))
    second, _ = begin_sign_in("vera")
    assert second.post(STEP, {"code": code}).status_code == 200


def test_after_ten_wrong_codes_not_even_the_right_one(app: App) -> None:
    client, _ = begin_sign_in("vera")
    for _ in range(10):
        client.post(STEP, {"code": "000000"})
    # Nor in another browser, or from another address: who tries codes knows the password.
    client, _ = begin_sign_in("vera")
    answer = client.post(STEP, {"code": app.code()}, REMOTE_ADDR="192.0.2.99")
    assert "Too many wrong codes. Try again in 2 minutes." in text_of(answer)


def test_the_second_step_needs_the_first(client: Client, app: App) -> None:
    assert client.get(STEP).headers["Location"] == "/sign-in/"
    assert client.post(STEP, {"code": app.code()}).headers["Location"] == "/sign-in/"


def test_an_account_that_was_switched_off_meanwhile_is_not_signed_in(vera: User, app: App) -> None:
    client, _ = begin_sign_in("vera")
    User.objects.update(is_active=False)
    client.post(STEP, {"code": app.code()})
    assert client.get("/projects/").status_code == 302


def test_the_app_is_removed_with_its_codes(vera: User, app: App) -> None:
    client, _ = begin_sign_in("vera")
    client.post(STEP, {"code": app.code()})
    assert client.get("/account/app/").headers["Location"] == "/account/app/remove/"
    assert client.post("/account/app/remove/").headers["Location"] == "/account/"
    assert "Your authenticator app is removed." in text_of(client.get("/account/"))
    assert not vera.authenticator_set.exists()
    assert _audited(vera) == ["account.factor_removed"]
    _, led_to = begin_sign_in("vera")
    assert led_to == "/projects/"


def test_new_codes_replace_the_old_ones(vera: User, app: App) -> None:
    old = list_codes(vera)
    client, _ = begin_sign_in("vera")
    client.post(STEP, {"code": app.code()})
    assert "The 10 that are left stop working" in text_of(client.get("/account/recovery-codes/new/"))
    client.post("/account/recovery-codes/new/")
    assert not set(old) & set(list_codes(vera))
    assert _audited(vera) == ["account.codes_renewed"]


def test_nobody_makes_codes_without_a_factor(vera: User) -> None:
    client, _ = begin_sign_in("vera")
    assert client.post("/account/recovery-codes/new/").status_code == 200
    assert client.get("/account/recovery-codes/").status_code == 404


def test_a_reset_password_does_not_get_around_the_factor(vera: User, app: App) -> None:
    vera.set_password("staple-battery-horse")
    vera.save()
    client = Client()
    form = {"username": "vera", "password": "staple-battery-horse"}
    assert client.post("/sign-in/", form).headers["Location"] == STEP


@pytest.mark.parametrize("path", ["app/", "app/remove/", "keys/new/", "recovery-codes/", "recovery-codes/new/"])
def test_who_is_signed_out_signs_in_first(client: Client, db: None, path: str) -> None:
    location = client.get(f"/account/{path}").headers["Location"]
    assert location.startswith("/sign-in/?next=")
