"""Support staff change members and settings in the admin: by the services, with their checks and audit entries."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from builds.models import AuditAction, AuditEntry, Membership, Project, Role
from tests.admin import get_page
from tests.deployments.stories import audited

MEMBERS = "/admin/builds/membership/"


def test_a_person_who_is_added_is_audited(support: Client, staff: User, project: Project, outsider: User) -> None:
    form = {"project": project.pk, "user": outsider.pk, "role": Role.VIEWER}

    with audited(AuditAction.MEMBER_ADDED):
        assert support.post(f"{MEMBERS}add/", form).status_code == 302

    assert Membership.objects.get(project=project, user=outsider).role == Role.VIEWER
    assert AuditEntry.objects.get().actor == staff


def test_a_member_who_is_added_again_is_refused_on_the_form(support: Client, project: Project, viewer: User) -> None:
    form = {"project": project.pk, "user": viewer.pk, "role": Role.ADMIN}

    with audited():
        assert support.post(f"{MEMBERS}add/", form).status_code == 200


def test_a_role_that_is_changed_is_audited(support: Client, viewer: User) -> None:
    membership = viewer.memberships.get()

    with audited(AuditAction.MEMBER_ROLE_CHANGED):
        assert support.post(f"{MEMBERS}{membership.pk}/change/", {"role": Role.RELEASE_MANAGER}).status_code == 302

    membership.refresh_from_db()
    assert membership.role == Role.RELEASE_MANAGER


def test_a_membership_stays_of_the_person_and_project_it_is_of(
    support: Client, viewer: User, outsider: User, project: Project
) -> None:
    membership = viewer.memberships.get()

    support.post(f"{MEMBERS}{membership.pk}/change/", {"role": Role.VIEWER, "user": outsider.pk})

    membership.refresh_from_db()
    assert (membership.user, membership.project) == (viewer, project)


def test_a_member_who_is_removed_is_audited(support: Client, viewer: User) -> None:
    membership = viewer.memberships.get()

    with audited(AuditAction.MEMBER_REMOVED):
        assert support.post(f"{MEMBERS}{membership.pk}/delete/", {"post": "yes"}).status_code == 302

    assert not viewer.memberships.exists()


@pytest.mark.parametrize("way", ["delete/", "change/"])
def test_the_last_admin_stays_admin(support: Client, owner: User, way: str) -> None:
    membership = owner.memberships.get()

    with audited():
        answer = support.post(f"{MEMBERS}{membership.pk}/{way}", {"post": "yes", "role": Role.VIEWER}, follow=True)

    assert "Olga Kaya is the last admin of Northwind Outdoor." in answer.content.decode()
    membership.refresh_from_db()
    assert membership.role == Role.ADMIN


def test_of_several_members_none_is_removed_when_one_must_stay(support: Client, owner: User, viewer: User) -> None:
    chosen = [viewer.memberships.get(), owner.memberships.get()]

    with audited():
        form = {"action": "delete_selected", "_selected_action": [row.pk for row in chosen], "post": "yes"}
        page = support.post(MEMBERS, form, follow=True).content.decode()

    assert "is the last admin" in page
    assert Membership.objects.filter(pk__in=[row.pk for row in chosen]).count() == 2


def test_members_that_are_removed_together_are_audited_one_by_one(
    support: Client, owner: User, viewer: User, release_manager: User
) -> None:
    with audited(AuditAction.MEMBER_REMOVED, AuditAction.MEMBER_REMOVED):
        form = {
            "action": "delete_selected",
            "_selected_action": [viewer.memberships.get().pk, release_manager.memberships.get().pk],
            "post": "yes",
        }
        support.post(MEMBERS, form, follow=True)

    assert Membership.objects.filter(project__slug="northwind-outdoor").get().user == owner


def test_a_member_can_be_looked_at(support: Client, viewer: User) -> None:
    assert "Northwind Outdoor" in get_page(support, MEMBERS, q="vera")
    get_page(support, f"{MEMBERS}{viewer.memberships.get().pk}/change/")
    get_page(support, f"{MEMBERS}add/")


def test_an_account_is_not_deleted_while_it_is_a_member(support: Client, owner: User) -> None:
    page = support.post(f"/admin/auth/user/{owner.pk}/delete/", {"post": "yes"}).content.decode()

    assert "protected" in page
    assert User.objects.filter(pk=owner.pk).exists()
