"""Who is a member with which role: what each change leaves, and that an admin always remains."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from builds.errors import InvalidInput, NotAllowedNow
from builds.membership import add_member, change_role, remove_member
from builds.models import AuditEntry, Membership, Project, Role
from tests.deployments.stories import audited, refused
from tests.factories import MembershipFactory, UserFactory


def _role(user: User, project: Project) -> str | None:
    return Membership.objects.filter(user=user, project=project).values_list("role", flat=True).first()


@pytest.mark.parametrize("who", ["newcomer", "New.Comer@example.com", "  newcomer  "])
def test_an_account_is_added_by_its_username_or_address(project: Project, owner: User, who: str) -> None:
    newcomer = UserFactory(username="newcomer", email="new.comer@example.com", first_name="Nia", last_name="Okafor")
    with audited("member.added"):
        add_member(project.pk, actor=owner, who=who, role=Role.RELEASE_MANAGER)
    assert _role(newcomer, project) == Role.RELEASE_MANAGER
    entry = AuditEntry.objects.get()
    assert entry.after == {"member": "Nia Okafor", "username": "newcomer", "role": "release_manager"}


def test_a_username_comes_before_the_address_of_somebody_else(project: Project, owner: User) -> None:
    meant = UserFactory(username="nia@example.com")
    UserFactory(email="nia@example.com")
    add_member(project.pk, actor=owner, who="nia@example.com", role=Role.VIEWER)
    assert _role(meant, project) == Role.VIEWER


@pytest.mark.parametrize("who", ["nobody", "", "switched-off", "\0"])
def test_a_name_that_is_nobodys_is_refused(project: Project, owner: User, who: str) -> None:
    UserFactory(username="switched-off", is_active=False)
    with refused(InvalidInput, "No active account has the username or e-mail address", field="who"):
        add_member(project.pk, actor=owner, who=who, role=Role.VIEWER)


def test_an_address_of_several_accounts_is_refused(project: Project, owner: User) -> None:
    for name in ("one", "two"):
        UserFactory(username=name, email="team@example.com")
    with refused(InvalidInput, "Several accounts", "Use the username", field="who"):
        add_member(project.pk, actor=owner, who="team@example.com", role=Role.VIEWER)


def test_a_member_is_not_added_again(project: Project, owner: User, viewer: User) -> None:
    with refused(InvalidInput, "Vera Kaya is a member", field="who"):
        add_member(project.pk, actor=owner, who="vera", role=Role.ADMIN)
    assert _role(viewer, project) == Role.VIEWER


def test_a_role_that_does_not_exist_is_refused(project: Project, owner: User, viewer: User) -> None:
    UserFactory(username="newcomer")
    with refused(InvalidInput, "'owner' is not a role", field="role"):
        add_member(project.pk, actor=owner, who="newcomer", role="owner")
    with refused(InvalidInput, "'owner' is not a role", field="role"):
        change_role(viewer.memberships.get().pk, actor=owner, role="owner")


def test_a_role_is_changed_and_the_log_says_from_what(project: Project, owner: User, viewer: User) -> None:
    with audited("member.role_changed"):
        change_role(viewer.memberships.get().pk, actor=owner, role=Role.ADMIN)
    assert _role(viewer, project) == Role.ADMIN
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.before["role"], entry.after["role"]) == (owner, "viewer", "admin")
    assert entry.after["member"] == "Vera Kaya"


def test_the_same_role_again_is_no_entry(project: Project, owner: User, viewer: User) -> None:
    with audited():
        change_role(viewer.memberships.get().pk, actor=owner, role=Role.VIEWER)


def test_a_member_is_removed_and_their_entries_stay(project: Project, owner: User, viewer: User) -> None:
    with audited("member.removed"):
        remove_member(viewer.memberships.get().pk, actor=owner)
    assert _role(viewer, project) is None
    assert AuditEntry.objects.get().before == {"member": "Vera Kaya", "username": "vera", "role": "viewer"}


def _become_viewer(member: Membership) -> None:
    change_role(member.pk, actor=member.user, role=Role.VIEWER)


def _leave(member: Membership) -> None:
    remove_member(member.pk, actor=member.user)


@pytest.mark.parametrize("go", [_become_viewer, _leave])
def test_the_last_admin_stays_one(project: Project, owner: User, release_manager: User, go: Any) -> None:
    with refused(NotAllowedNow, "Olga Kaya is the last admin of Northwind Outdoor", "Make somebody else an admin"):
        go(owner.memberships.get())
    MembershipFactory(project=project, role=Role.ADMIN)
    go(owner.memberships.get())
    assert _role(owner, project) != Role.ADMIN


@pytest.mark.parametrize("go", [_become_viewer, _leave])
def test_an_admin_who_cannot_sign_in_is_no_other_admin(project: Project, owner: User, go: Any) -> None:
    MembershipFactory(project=project, role=Role.ADMIN, user__is_active=False)
    with refused(NotAllowedNow, "the last admin"):
        go(owner.memberships.get())


def test_an_admin_of_another_project_is_no_other_admin(project: Project, owner: User, outsider: User) -> None:
    with refused(NotAllowedNow, "the last admin"):
        remove_member(owner.memberships.get().pk, actor=owner)


def test_somebody_who_left_meanwhile_is_refused_in_words(owner: User, viewer: User) -> None:
    pk = viewer.memberships.get().pk
    remove_member(pk, actor=owner)
    with refused(NotAllowedNow, "not a member any more"):
        remove_member(pk, actor=owner)
    with refused(NotAllowedNow, "not a member any more"):
        change_role(pk, actor=owner, role=Role.ADMIN)
