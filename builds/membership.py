"""Who may do what in a project. Each change is audited in its own transaction, and an admin always remains."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from builds import audit
from builds.actors import name_person
from builds.errors import InvalidInput, NotAllowedNow
from builds.models import AuditAction, Membership, Project, Role
from builds.second_factor import has_factor_of


def list_members(project: Project) -> QuerySet[Membership]:
    """Members with their accounts, by name. One query."""
    members = Membership.objects.filter(project=project).select_related("user", "project")
    return members.order_by("user__first_name", "user__last_name", "user__username")


def list_without_second_factor(project: Project) -> QuerySet[Membership]:
    """Members who could not see the project if it asked for a second factor. One query."""
    return list_members(project).filter(~has_factor_of("user_id"))


def list_memberships(user: User) -> QuerySet[Membership]:
    """What the person is in which project, by name of the project. One query."""
    mine = Membership.objects.filter(user=user, project__deleted_at=None).select_related("project")
    return mine.order_by("project__name", "project_id")


def add_member(project_id: int, *, actor: User, who: str, role: str) -> Membership:
    """The account with this username, or this e-mail address, is a member.

    Raises InvalidInput for a role that does not exist, and for a name that is nobody's, several people's, or a
    member's already.
    """
    user = _find_account(who.strip())
    _check_role(role)
    with transaction.atomic():
        project = _lock_project(project_id)
        if Membership.objects.filter(project=project, user=user).exists():
            raise InvalidInput(
                f"{name_person(user)} is a member of {project} already. Change their role in the list.",
                field="who",
            )
        member = Membership.objects.create(project=project, user=user, role=role)
        audit.record(
            AuditAction.MEMBER_ADDED,
            actor=actor,
            project=project,
            after={"member": name_person(user), "username": user.get_username(), "role": role},
        )
    return member


def change_role(membership_id: int, *, actor: User, role: str) -> Membership:
    """The member has this role. The role they have already changes nothing, and is no entry.

    Raises InvalidInput for a role that does not exist, NotAllowedNow for the last admin or somebody who left.
    """
    _check_role(role)
    with _locked_member(membership_id) as member:
        if member.role == role:
            return member
        _require_another_admin(member)
        before, member.role = member.role, role
        member.save(update_fields=["role"])
        audit.record(
            AuditAction.MEMBER_ROLE_CHANGED,
            actor=actor,
            project=member.project,
            before={"role": before},
            after={"member": name_person(member.user), "username": member.user.get_username(), "role": role},
        )
    return member


def remove_member(membership_id: int, *, actor: User) -> None:
    """The person is no member any more; what they did stays in the audit log. The actor may be that person.

    Raises NotAllowedNow for the last admin, or for somebody who left meanwhile.
    """
    with _locked_member(membership_id) as member:
        _require_another_admin(member)
        member.delete()
        audit.record(
            AuditAction.MEMBER_REMOVED,
            actor=actor,
            project=member.project,
            before={
                "member": name_person(member.user),
                "username": member.user.get_username(),
                "role": member.role,
            },
        )


def can_administer(member: Membership) -> bool:
    """Somebody whose account is switched off could not let anybody in. No query when the account is loaded."""
    return member.role == Role.ADMIN and member.user.is_active


def describe_last_admin(member: Membership) -> str:
    return f"{name_person(member.user)} is the last admin of {member.project}. Make somebody else an admin first."


def find_leaving_obstacle(member: Membership) -> str:
    """Why this person cannot be removed or given a lower role, in words; "" when they can. One query for an admin."""
    if member.role != Role.ADMIN:
        return ""
    # As `can_administer` says it.
    others = Membership.objects.filter(project_id=member.project_id, role=Role.ADMIN, user__is_active=True)
    return "" if others.exclude(pk=member.pk).exists() else describe_last_admin(member)


def _require_another_admin(member: Membership) -> None:
    obstacle = find_leaving_obstacle(member)
    if obstacle:
        raise NotAllowedNow(obstacle)


def _check_role(role: str) -> None:
    if role not in Role.values:
        raise InvalidInput(f"{role!r} is not a role. Use one of {', '.join(Role.values)}.", field="role")


def _find_account(who: str) -> User:
    """Usernames come first: they are unique, addresses need not be."""
    found = User.objects.filter(Q(username=who) | Q(email__iexact=who), is_active=True)
    # No account has an empty name, and PostgreSQL does not look for a NUL.
    accounts = sorted(found, key=lambda user: user.username != who) if who and "\0" not in who else []
    if not accounts:
        raise InvalidInput(
            f"No active account has the username or e-mail address {who!r}. Ask who runs this server to make one.",
            field="who",
        )
    if accounts[0].username != who and len(accounts) > 1:
        raise InvalidInput(f"Several accounts have the e-mail address {who!r}. Use the username.", field="who")
    return accounts[0]


def _lock_project(project_id: int) -> Project:
    """Members of one project change one after the other: two admins who remove each other cannot both succeed."""
    # no_key: builds and audit entries of the project, which point to this row, go on meanwhile.
    return Project.objects.select_for_update(no_key=True).get(pk=project_id)


@contextmanager
def _locked_member(membership_id: int) -> Iterator[Membership]:
    """The member as it stands under the lock of the project."""
    members = Membership.objects.filter(pk=membership_id)
    project_id = members.values_list("project_id", flat=True).first()
    with transaction.atomic():
        if project_id is not None:
            _lock_project(project_id)
        member = members.select_related("user", "project").first()
        if member is None:
            raise NotAllowedNow("This person is not a member any more. Reload the page.")
        yield member
