"""An address becomes one's own by a link in a mail to it."""

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from builds.models import AuditEntry
from tests.deployments.pages import AsUser, assert_refused, text_of
from tests.factories import UserFactory
from tests.sign_in.apps import begin_sign_in, give_password
from tests.sign_in.mails import Mailbox

NEW = "lind@example.com"


@pytest.fixture
def vera(viewer: User) -> User:
    viewer.email = "vera@example.com"
    return give_password(viewer)


@pytest.fixture
def client(vera: User) -> Client:
    """Vera has just signed in."""
    return begin_sign_in("vera")[0]


def test_the_address_changes_when_the_link_is_followed(client: Client, vera: User, mailbox: Mailbox) -> None:
    page = client.post("/account/email/", {"email": NEW}, follow=True)
    assert f"A mail is on its way to {NEW}." in text_of(page)
    link = mailbox.link_to(NEW)
    assert NEW in text_of(client.get(link))
    vera.refresh_from_db()
    assert vera.email == "vera@example.com", "Looking at the link is no answer."
    client.post(link)
    vera.refresh_from_db()
    assert vera.email == NEW
    entry = AuditEntry.objects.get(action="account.email_changed")
    assert (entry.actor, entry.before, entry.after) == (vera, {"email": "vera@example.com"}, {"email": NEW})
    assert_refused(client.post(link), 409, "The address of this account was changed since.")


def test_the_link_is_for_the_account_that_asked(
    client: Client, as_user: AsUser, outsider: User, mailbox: Mailbox
) -> None:
    client.post("/account/email/", {"email": NEW})
    assert_refused(as_user(outsider).post(mailbox.link_to(NEW)), 409, "This link is for another account.")
    outsider.refresh_from_db()
    assert outsider.email == ""


@pytest.mark.parametrize(
    ("email", "sentence"),
    [("OTTO@example.com", "Another account has the e-mail address"), ("no address", "Enter a valid email address.")],
)
def test_an_address_that_cannot_be_is_refused(
    client: Client, vera: User, mailbox: Mailbox, email: str, sentence: str
) -> None:
    UserFactory(email="otto@example.com")
    assert_refused(client.post("/account/email/", {"email": email}), 422, sentence)
    assert mailbox.queued == []


def test_an_address_that_somebody_took_meanwhile_stays_theirs(client: Client, vera: User, mailbox: Mailbox) -> None:
    client.post("/account/email/", {"email": NEW})
    link = mailbox.link_to(NEW)
    UserFactory(email=NEW)
    assert_refused(client.post(link), 409, "Another account has the e-mail address")


def test_the_same_address_sends_nothing(client: Client, vera: User, mailbox: Mailbox) -> None:
    page = client.post("/account/email/", {"email": "vera@example.com"}, follow=True)
    assert "This is your address already." in text_of(page)
    mailbox.deliver()
    assert mail.outbox == []


def test_an_address_may_go(client: Client, vera: User) -> None:
    client.post("/account/email/", {"email": ""})
    vera.refresh_from_db()
    assert vera.email == ""


@pytest.mark.parametrize("signed", ["nonsense", "WzEsIiIsImEiXQ:1:x"])
def test_a_link_that_was_not_made_here_is_dead(client: Client, vera: User, signed: str) -> None:
    assert_refused(client.get(f"/account/email/{signed}/"), 409, "This link is broken")


def test_who_found_an_open_session_is_asked_for_the_password(as_user: AsUser, vera: User, mailbox: Mailbox) -> None:
    answer = as_user(vera).post("/account/email/", {"email": NEW})
    assert answer.headers["Location"] == "/account/confirm/?next=%2Faccount%2Femail%2F"
    assert mailbox.queued == []
