"""Who owns an account gets a mail when what they sign in with has changed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core import mail as outbox
from django.db import transaction
from django.test import Client
from kombu.exceptions import OperationalError as BrokerUnavailable
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from builds.models import AuditEntry
from sign_in import accounts, second_factors, single_sign_on, tasks
from sign_in.single_sign_on import Claims
from tests.deployments.pages import AsUser
from tests.sign_in.apps import PASSWORD, begin_sign_in, give_app, give_password, set_up_app
from tests.sign_in.mails import Mailbox

ADDRESS, NEW = "vera@example.com", "new-battery-staple"
FORM = {"current_password": PASSWORD, "new_password": NEW, "again": NEW}


@pytest.fixture
def vera(viewer: User) -> User:
    viewer.email = ADDRESS
    viewer.save()
    return give_password(viewer)


@pytest.fixture
def client(vera: User) -> Client:
    """Signed in by password a moment ago."""
    return begin_sign_in("vera")[0]


@pytest.fixture
def told(mailbox: Mailbox, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Callable[[], Any]:
    """Inside `with told() as mails:` things happen; afterwards `mails` is what was sent."""

    @contextmanager
    def watch() -> Iterator[list[Any]]:
        mails: list[Any] = []
        with django_capture_on_commit_callbacks(execute=True):
            yield mails
        mailbox.deliver()
        mails += outbox.outbox

    return watch


def _only_one(mails: list[Any], sentence: str) -> str:
    """Its text; it says that sentence, to vera."""
    assert [(each.to, each.subject) for each in mails] == [([ADDRESS], f"{sentence} · CodePush Console")]
    text = str(mails[0].body)
    assert text.startswith(f"{sentence}.\n\nAccount: vera")
    assert "If it was you, or you asked for it, do nothing." in text
    assert "\n\n\n" not in text
    return text


def test_of_a_new_password(client: Client, told: Any) -> None:
    with told() as mails:
        client.post("/account/password/", FORM, REMOTE_ADDR="192.0.2.7")
    text = _only_one(mails, "The password was changed")

    assert "From: 192.0.2.7\n" in text
    assert NEW not in text


def test_of_a_password_that_was_reset_by_mail(vera: User, told: Any) -> None:
    with told() as mails:
        accounts.reset_password(vera.pk, new_password=NEW)
    _only_one(mails, "The password was replaced, by the link in a mail to this address")


def test_of_a_password_that_was_too_weak_there_is_none(client: Client, told: Any) -> None:
    with told() as mails:
        client.post("/account/password/", FORM | {"new_password": "short", "again": "short"})
    assert mails == []


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        ("thief@example.com", "The e-mail address was changed to thief@example.com"),
        ("", "The e-mail address was removed"),
    ],
)
def test_of_another_address_at_the_one_before(vera: User, told: Any, after: str, sentence: str) -> None:
    with told() as mails:
        if after:
            accounts.confirm_email(accounts.EmailChange(vera.pk, ADDRESS, after))
        else:
            accounts.remove_email(vera.pk)
    _only_one(mails, sentence)


def test_of_an_authenticator_app(client: Client, told: Any) -> None:
    with told() as mails:
        set_up_app(client)
    _only_one(mails, "A second factor was added: Authenticator app")


def test_of_a_security_key(vera: User, told: Any) -> None:
    Authenticator.objects.create(user=vera, type="webauthn", data={"name": "Blue key", "credential": {}})
    with told() as mails:
        second_factors.note_added(vera, "webauthn", session_key=None)
    _only_one(mails, "A second factor was added: Security key, Blue key")


def test_of_an_app_that_is_removed(client: Client, told: Any) -> None:
    set_up_app(client)
    with told() as mails:
        client.post("/account/app/remove/")
    _only_one(mails, "A second factor was removed: Authenticator app")


def test_of_new_recovery_codes(client: Client, told: Any) -> None:
    set_up_app(client)
    with told() as mails:
        client.post("/account/recovery-codes/new/")
    _only_one(mails, "The recovery codes were replaced. The old ones are good no more")


def test_of_single_sign_on(vera: User, told: Any) -> None:
    with told() as mails:
        single_sign_on.find_or_create_account(Claims(ADDRESS, "Vera", "Lind"))
    _only_one(mails, "Single sign-on was added to the ways to sign in")


def test_of_factors_that_the_support_removed(vera: User, staff: User, told: Any) -> None:
    give_app(vera)
    with told() as mails:
        second_factors.remove_all(vera.pk, actor=staff)
    text = _only_one(mails, "A second factor was removed: Authenticator app")

    assert f"By: {staff.get_full_name() or staff.get_username()}\n" in text
    assert "From:" not in text


def test_of_a_password_and_an_address_that_the_support_set(vera: User, support: Client, told: Any) -> None:
    page = f"/admin/auth/user/{vera.pk}/"
    form = {"password1": NEW, "password2": NEW, "usable_password": "true", "set-password": "1"}
    with told() as mails:
        assert support.post(f"{page}password/", form).status_code == 302
    assert "By: " in _only_one(mails, "The password was changed")
    outbox.outbox.clear()
    joined = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    with told() as mails:
        person = {"username": "vera", "email": "new@example.com", "is_active": "on", **joined}
        assert support.post(f"{page}change/", person).status_code == 302
    assert "By: " in _only_one(mails, "The e-mail address was changed to new@example.com")
    actions = AuditEntry.objects.filter(project=None).values_list("action", "before__username")
    assert {*actions} == {("account.password_changed", "vera"), ("account.email_changed", "vera")}


def test_its_links_lead_to_where_the_operator_says(client: Client, told: Any, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://codepush.example"
    with told() as mails:
        client.post("/account/password/", FORM)
    assert "\nhttps://codepush.example/account/\n" in _only_one(mails, "The password was changed")


def test_without_an_address_there_is_none(vera: User, told: Any) -> None:
    User.objects.update(email="")
    with told() as mails:
        accounts.change_password(vera.pk, current_password=PASSWORD, new_password=NEW)
    assert mails == []


def test_of_what_was_undone_there_is_none(vera: User, told: Any) -> None:
    with told() as mails, transaction.atomic():
        accounts.reset_password(vera.pk, new_password=NEW)
        transaction.set_rollback(True)
    assert mails == []


def test_a_broker_that_is_away_holds_up_no_change(
    vera: User, as_user: AsUser, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise BrokerUnavailable

    monkeypatch.setattr(tasks.send_notice, "delay", away)
    with told() as mails:
        assert as_user(vera).post("/account/password/", FORM).status_code == 303
    vera.refresh_from_db()
    assert (mails, vera.check_password(NEW)) == ([], True)
