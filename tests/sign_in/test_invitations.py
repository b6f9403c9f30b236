"""Somebody is invited by mail, and comes in: with a new account, or with the one they have."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerUnavailable

from builds.errors import NotAllowedNow
from builds.models import AuditEntry, Project, Role
from sign_in import invitations, tasks
from sign_in.models import Invitation
from tests.deployments.pages import AsUser, assert_refused, text_of
from tests.factories import InvitationFactory, UserFactory
from tests.sign_in.apps import give_password
from tests.sign_in.mails import Mailbox

SETTINGS = "/projects/northwind-outdoor/settings/"
INVITE = f"{SETTINGS}members/invite/"
NIA = "nia@example.com"
ACCOUNT = {
    "first_name": "Nia",
    "last_name": "Okafor",
    "new_password": "staple-battery-horse",
    "again": "staple-battery-horse",
}


@pytest.fixture
def link(as_user: AsUser, owner: User, mailbox: Mailbox) -> str:
    """Nia is invited as release manager; where the mail leads."""
    answer = as_user(owner).post(INVITE, {"email": "Nia@Example.com", "role": "release_manager"})
    assert answer.headers["Location"] == SETTINGS, text_of(answer)
    return mailbox.link_to(NIA)


def _actions(project: Project) -> list[str]:
    return list(AuditEntry.objects.filter(project=project).order_by("id").values_list("action", flat=True))


def test_the_mail_says_who_invites_to_what(link: str) -> None:
    (message,) = mail.outbox
    assert message.subject == "Northwind Outdoor: invitation · CodePush Console"
    body = str(message.body)
    assert "Olga Kaya invites you to Northwind Outdoor" in body
    assert "Your role: Release manager." in body


def test_somebody_new_makes_an_account_and_is_in(link: str, client: Client, project: Project) -> None:
    page = text_of(client.get(link))
    assert "Olga Kaya invited you as release manager." in page
    answer = client.post(link, ACCOUNT)
    assert answer.headers["Location"] == "/projects/northwind-outdoor/"
    assert client.get("/projects/northwind-outdoor/").status_code == 200
    nia = User.objects.get(username=NIA)
    assert (nia.email, nia.get_full_name(), nia.is_staff) == (NIA, "Nia Okafor", False)
    assert nia.memberships.get().role == Role.RELEASE_MANAGER
    assert _actions(project) == ["member.invited", "member.joined"]
    joined = AuditEntry.objects.get(action="member.joined")
    assert (joined.actor, joined.after) == (nia, {"email": NIA, "role": "release_manager"})
    assert Client().post("/sign-in/", {"username": NIA, "password": ACCOUNT["new_password"]}).status_code == 302


def test_a_link_is_good_once(link: str, client: Client) -> None:
    client.post(link, ACCOUNT)
    other = Client()
    assert_refused(other.get(link), 410, "This invitation was used.")
    assert_refused(other.post(link, {**ACCOUNT, "first_name": "Eve"}), 410, "This invitation was used.")
    assert User.objects.filter(email=NIA).count() == 1


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"new_password": "short", "again": "short"}, "at least 12 characters"),
        ({"again": "another"}, "This is not the same as the new password above."),
        ({"first_name": ""}, "This field is required."),
        ({"first_name": "Nia\u202e"}, "The first name holds"),
        ({"new_password": NIA, "again": NIA}, "too similar"),
    ],
)
def test_an_account_that_cannot_be_leaves_the_invitation_open(
    link: str, client: Client, form: dict[str, str], sentence: str
) -> None:
    assert_refused(client.post(link, {**ACCOUNT, **form}), 422, sentence)
    assert not User.objects.filter(email=NIA).exists()
    assert client.post(link, ACCOUNT).status_code == 302


def test_who_has_an_account_signs_in_and_joins(link: str, client: Client, project: Project) -> None:
    nia = give_password(UserFactory(username="nia", email="NIA@example.com"))
    page = client.get(link)
    assert "There is an account with the address nia@example.com." in text_of(page)
    assert 'href="/sign-in/?next=%2Finvitations%2F' in text_of(page)
    assert client.post(link, ACCOUNT).status_code == 200
    assert not User.objects.filter(username=NIA).exists(), "Nobody takes an account over by an invitation."
    form = {"username": "nia", "password": "correct-horse-battery", "next": link}
    assert client.post("/sign-in/", form).headers["Location"] == link
    assert "Join Northwind Outdoor" in text_of(client.get(link))
    assert not nia.memberships.exists(), "Looking at it is no answer: programs that look into mails do."
    answer = client.post(link, follow=True)
    assert "You are a member of Northwind Outdoor now. Role: Release manager." in text_of(answer)
    assert nia.memberships.get().role == Role.RELEASE_MANAGER


def test_somebody_else_is_told_whom_it_is_for(link: str, as_user: AsUser, outsider: User) -> None:
    client = as_user(outsider)
    for answer in (client.get(link), client.post(link)):
        assert_refused(answer, 409, "It was sent to nia@example.com. You are signed in as otto")
    assert outsider.memberships.count() == 1
    assert 'action="/sign-out/"' in text_of(client.get(link))


def test_no_other_road_lets_somebody_else_in(link: str, outsider: User) -> None:
    with pytest.raises(NotAllowedNow, match="This invitation is for"):
        invitations.accept(Invitation.objects.get().pk, user=outsider)


def test_a_switched_off_account_gets_no_second_one(link: str, client: Client) -> None:
    UserFactory(username="nia", email=NIA, is_active=False)
    assert_refused(client.get(link), 403, "is switched off")
    assert_refused(client.post(link, ACCOUNT), 403, "is switched off")


def test_an_expired_link_is_dead(link: str, client: Client, as_user: AsUser, owner: User, mailbox: Mailbox) -> None:
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert_refused(client.get(link), 410, "This invitation was good until")
    assert "Expired" in text_of(as_user(owner).get(SETTINGS))
    # Inviting anew is possible, and the link before stays dead.
    as_user(owner).post(INVITE, {"email": NIA, "role": "viewer"})
    assert client.get(mailbox.link_to(NIA)).status_code == 200
    assert client.get(link).status_code == 410


def test_a_link_is_good_for_a_week(link: str) -> None:
    left = Invitation.objects.get().expires_at - timezone.now()
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)


def test_sent_again_there_is_one_good_link(
    link: str, client: Client, as_user: AsUser, owner: User, mailbox: Mailbox, project: Project
) -> None:
    address = f"{SETTINGS}members/invitations/{Invitation.objects.get().pk}/again/"
    page = as_user(owner).post(address, follow=True)
    assert "A mail is on its way." in text_of(page)
    assert "Not yet" in text_of(page), "Until a worker sent it."
    latest = mailbox.link_to(NIA)
    assert "Not yet" not in text_of(as_user(owner).get(SETTINGS))
    assert_refused(client.get(link), 410, "use the link in the latest mail")
    assert client.get(latest).status_code == 200
    assert _actions(project) == ["member.invited", "member.invited_again"]


def test_taken_back_the_link_is_dead(link: str, client: Client, as_user: AsUser, owner: User, project: Project) -> None:
    pk = Invitation.objects.get().pk
    as_user(owner).post(f"{SETTINGS}members/invitations/{pk}/revoke/")
    assert_refused(client.get(link), 410, "This invitation was taken back.")
    assert_refused(client.post(link, ACCOUNT), 410, "This invitation was taken back.")
    assert NIA not in text_of(as_user(owner).get(SETTINGS))
    assert as_user(owner).post(f"{SETTINGS}members/invitations/{pk}/again/").status_code == 404
    assert _actions(project) == ["member.invited", "member.invitation_revoked"]


def test_a_worker_that_comes_late_sends_nothing_that_was_taken_back(
    as_user: AsUser, owner: User, mailbox: Mailbox
) -> None:
    as_user(owner).post(INVITE, {"email": NIA, "role": "viewer"})
    as_user(owner).post(f"{SETTINGS}members/invitations/{Invitation.objects.get().pk}/revoke/")
    mailbox.deliver()
    assert mail.outbox == []


@pytest.mark.parametrize(
    "change", [lambda link: link[:-5] + "/", lambda link: link.replace("invitations/", "invitations/9")]
)
def test_a_link_that_was_not_made_here_is_dead(link: str, client: Client, change: object) -> None:
    assert_refused(client.get(change(link)), 410, "This link is not whole.")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"email": NIA, "role": "viewer"}, "nia@example.com is invited already."),
        ({"email": "olga@example.com", "role": "viewer"}, "olga@example.com is a member of Northwind Outdoor already."),
        ({"email": "nobody", "role": "viewer"}, "Enter a valid email address."),
        ({"email": "a@example.com\nBcc: b@example.com", "role": "viewer"}, "Enter a valid email address."),
        ({"email": "x@example.com", "role": "owner"}, "Select a valid choice."),
    ],
)
def test_an_invitation_that_cannot_be_is_refused(
    link: str, as_user: AsUser, owner: User, mailbox: Mailbox, form: dict[str, str], sentence: str
) -> None:
    User.objects.filter(pk=owner.pk).update(email="olga@example.com")
    assert_refused(as_user(owner).post(INVITE, form), 422, sentence)
    assert Invitation.objects.count() == 1
    assert mailbox.queued == []


@pytest.mark.parametrize("who", ["viewer", "release_manager"])
def test_only_admins_invite(
    as_user: AsUser, viewer: User, release_manager: User, owner: User, project: Project, who: str
) -> None:
    client = as_user({"viewer": viewer, "release_manager": release_manager}[who])
    invitation = InvitationFactory(project=project, email=NIA)
    for path in ("invite/", f"invitations/{invitation.pk}/again/", f"invitations/{invitation.pk}/revoke/"):
        assert client.post(f"{SETTINGS}members/{path}", {"email": "x@example.com", "role": "admin"}).status_code == 403
    assert NIA not in text_of(client.get(SETTINGS))


def test_admins_of_other_projects_do_not_reach_it(as_user: AsUser, outsider: User, project: Project) -> None:
    invitation = InvitationFactory(project=project)
    for slug in ("northwind-outdoor", "elsewhere"):
        address = f"/projects/{slug}/settings/members/invitations/{invitation.pk}/revoke/"
        assert as_user(outsider).post(address).status_code == 404
    assert Invitation.objects.get().revoked_at is None


def test_a_member_keeps_the_role_they_have(link: str, as_user: AsUser, viewer: User) -> None:
    User.objects.filter(pk=viewer.pk).update(email=NIA)
    viewer.refresh_from_db()
    as_user(viewer).post(link)
    assert viewer.memberships.get().role == Role.VIEWER
    assert Invitation.objects.get().accepted_at


def test_without_a_broker_the_admin_is_told(as_user: AsUser, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise BrokerUnavailable

    monkeypatch.setattr(tasks.send_invitation, "delay", fail)
    page = as_user(owner).post(INVITE, {"email": NIA, "role": "viewer"}, follow=True)
    assert "nia@example.com is invited, but not told yet" in text_of(page)
    assert "Not yet" in text_of(page)


def test_a_project_that_asks_for_a_factor_asks_the_newcomer(link: str, client: Client, project: Project) -> None:
    Project.objects.update(needs_second_factor=True)
    client.post(link, ACCOUNT)
    assert_refused(client.get("/projects/northwind-outdoor/"), 403, "needs a second factor")
    # Who has just chosen a password is not asked for it.
    assert client.get("/account/app/").status_code == 200


def test_one_admin_does_not_flood(as_user: AsUser, owner: User, mailbox: Mailbox) -> None:
    client = as_user(owner)
    for number in range(50):
        client.post(INVITE, {"email": f"n{number}@example.com", "role": "viewer"})
    answer = client.post(INVITE, {"email": "one@example.com", "role": "viewer"})
    assert_refused(answer, 409, "You sent very many invitations. Try again in 1 minute.")


def test_signing_in_shows_no_way_to_an_account_without_an_invitation(client: Client, db: None) -> None:
    for path in ("/accounts/signup/", "/sign-up/", "/signup/", "/account/signup/"):
        assert client.get(path).status_code == 404
    begin = client.get("/sign-in/")
    assert "No account? Ask who runs this server." in text_of(begin)
