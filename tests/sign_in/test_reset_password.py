"""A forgotten password: a mail, a link that is good once, a new password."""

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from kombu.exceptions import OperationalError as BrokerUnavailable
from pytest_django.fixtures import Settings

from builds.models import AuditEntry
from sign_in import tasks
from tests.deployments.pages import AsUser, assert_refused, text_of
from tests.factories import UserFactory
from tests.sign_in.mails import Mailbox

NEW = "staple-battery-horse"
FORGOTTEN = "/sign-in/forgotten/"


@pytest.fixture
def person(viewer: User) -> User:
    viewer.set_password("correct-horse-battery")
    viewer.email = "vera@example.com"
    viewer.save()
    return viewer


def _follow(client: Client, link: str) -> str:
    """Django takes the token out of the address; returns where the form is."""
    return str(client.get(link, follow=True).request["PATH_INFO"])


def test_the_link_leads_to_a_new_password(client: Client, person: User, mailbox: Mailbox, as_user: AsUser) -> None:
    elsewhere = as_user(person)
    client.post(FORGOTTEN, {"email": "VERA@example.com"})
    form = _follow(client, mailbox.link_to("vera@example.com"))
    assert "for the account vera" in text_of(client.get(form)).lower()

    answer = client.post(form, {"new_password": NEW, "again": NEW})

    assert answer.headers["Location"] == "/sign-in/"
    assert client.get("/projects/").status_code == 302, "Who has the mail is not signed in by it alone."
    assert elsewhere.get("/account/").status_code == 302
    assert client.post("/sign-in/", {"username": "vera", "password": NEW}).headers["Location"] == "/projects/"
    entries = AuditEntry.objects.filter(actor=person, project=None).values_list("action", flat=True)
    assert sorted(entries) == ["account.password_reset", "account.session_ended"]


def test_a_link_is_good_once(client: Client, person: User, mailbox: Mailbox) -> None:
    client.post(FORGOTTEN, {"email": "vera@example.com"})
    link = mailbox.link_to("vera@example.com")
    client.post(_follow(client, link), {"new_password": NEW, "again": NEW})
    other = Client()
    page = other.get(_follow(other, link))
    assert "This link was used, or is more than four hours old." in text_of(page)
    other.post(page.request["PATH_INFO"], {"new_password": "another-horse-staple", "again": "another-horse-staple"})
    person.refresh_from_db()
    assert person.check_password(NEW)


def test_a_weak_password_is_refused_and_the_link_stays_good(client: Client, person: User, mailbox: Mailbox) -> None:
    client.post(FORGOTTEN, {"email": "vera@example.com"})
    form = _follow(client, mailbox.link_to("vera@example.com"))
    assert "at least 12 characters" in text_of(client.post(form, {"new_password": "short", "again": "short"}))
    assert client.post(form, {"new_password": NEW, "again": NEW}).status_code == 302


def test_known_and_unknown_addresses_are_answered_alike(
    client: Client, person: User, mailbox: Mailbox, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        known = client.post(FORGOTTEN, {"email": "vera@example.com"})
        unknown = client.post(FORGOTTEN, {"email": "nobody@example.com"})
    assert known.status_code == unknown.status_code == 200
    assert text_of(known).replace("vera@", "nobody@") == text_of(unknown)
    mailbox.deliver()
    assert [message.to for message in mail.outbox] == [["vera@example.com"]]


def test_a_mail_is_for_accounts_that_can_sign_in_by_password(client: Client, mailbox: Mailbox, db: None) -> None:
    off = UserFactory(email="off@example.com", is_active=False)
    off.set_password("correct-horse-battery")
    off.save()
    sso = UserFactory(email="sso@example.com")
    sso.set_unusable_password()
    sso.save()
    for address in (off.email, sso.email):
        client.post(FORGOTTEN, {"email": address})
    mailbox.deliver()
    assert mail.outbox == []


def test_nobody_has_others_flooded_with_mail(client: Client, person: User, mailbox: Mailbox) -> None:
    for _ in range(3):
        assert client.post(FORGOTTEN, {"email": "vera@example.com"}).status_code == 200
    assert_refused(client.post(FORGOTTEN, {"email": "vera@example.com"}), 409, "Too many mails were asked for.")
    assert client.post(FORGOTTEN, {"email": "other@example.com"}).status_code == 200
    assert len(mailbox.queued) == 4


def test_without_a_broker_the_page_says_so(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise BrokerUnavailable

    monkeypatch.setattr(tasks.send_password_reset, "delay", fail)
    assert_refused(client.post(FORGOTTEN, {"email": "vera@example.com"}), 409, "No mail can be sent just now.")


def test_the_link_is_at_the_address_that_the_operator_says(
    client: Client, person: User, mailbox: Mailbox, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://codepush.example"
    client.post(FORGOTTEN, {"email": "vera@example.com"})
    assert mailbox.link_to("vera@example.com").startswith("https://codepush.example/sign-in/reset/")
