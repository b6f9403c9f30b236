"""The only road from a user and an address to an object: outside a project everything in it is a 404.

So is everything in a deleted one, to everybody (also `ProjectQuerySet.visible_to`).
"""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Subquery
from django.http import Http404

from builds.actors import TokenUser
from builds.models import Build, Membership, Project, Role
from builds.second_factor import has_factor_of, list_factors

_RANK = {Role.VIEWER: 0, Role.RELEASE_MANAGER: 1, Role.ADMIN: 2}


def find_lower_role(one: str, other: str) -> Role:
    return min(Role(one), Role(other), key=_RANK.__getitem__)


class SecondFactorNeeded(PermissionDenied):
    """A member without a second factor, in a project that asks for one. The page that this becomes leads to one."""

    def __init__(self, project: Project) -> None:
        super().__init__(f"{project} asks its members for a second factor. Set one up under Account.")
        self.project = project


@dataclass(frozen=True)
class ProjectAccess:
    """A project, and what this user may do in it."""

    project: Project
    role: Role

    def allows(self, role: Role) -> bool:
        return _RANK[self.role] >= _RANK[role]

    @property
    def can_release(self) -> bool:
        return self.allows(Role.RELEASE_MANAGER)

    @property
    def release_obstacle(self) -> str:
        """Why this person cannot change what devices get, in words; "" when they can."""
        return "" if self.can_release else f"You need the {Role.RELEASE_MANAGER.label} role."

    @property
    def can_manage(self) -> bool:
        return self.allows(Role.ADMIN)


def get_project(user: User | AnonymousUser, slug: str, *, role: Role = Role.VIEWER) -> ProjectAccess:
    """The project as this user may see it. One query.

    Raises Http404 for somebody outside it, PermissionDenied (with a sentence) for a member of too low a role, and
    SecondFactorNeeded for one without a second factor, where the project asks for one. Tokens are not asked.
    """
    access = _find_access(user, project__slug=slug)
    if access is None:
        raise Http404("No such project, or you are not a member of it.")
    _require(access, role, user)
    return access


def get_deleted_project(user: User | AnonymousUser, slug: str) -> Project:
    """One that this user, as its admin, may have back. One query. Raises Http404; to programs there is none."""
    mine = Project.objects.none() if isinstance(user, TokenUser) else Project.objects.recoverable_by(user)
    project = mine.filter(slug=slug).first()
    if project is None:
        raise Http404("No such deleted project, or you are not an admin of it.")
    return project


def require_no_locked_project(user: User) -> None:
    """For what would reach all projects of the person, also without a second factor. One query.

    Raises SecondFactorNeeded for somebody who does not see all of them for want of one.
    """
    locked = Project.objects.locked_to(user).order_by("name").first()
    if locked is not None:
        raise SecondFactorNeeded(locked)


def _find_access(user: User | AnonymousUser, **project: Any) -> ProjectAccess | None:
    """What the user may do in the project that these conditions on a membership name. One query."""
    if not user.is_authenticated:
        return None
    memberships = Membership.objects.filter(project__deleted_at=None, user_id=user.pk, **project)
    membership = memberships.select_related("project").annotate(has_second_factor=has_factor_of("user_id")).first()
    if membership is None:
        return None
    return _grant(user, membership.project, membership.role, has_second_factor=membership.has_second_factor)


def _find_build(user: User | AnonymousUser, **build: Any) -> tuple[ProjectAccess, Build] | None:
    """The build that these conditions name, with what the user may do in its project. One query."""
    if not user.is_authenticated:
        return None
    role = Membership.objects.filter(project=OuterRef("project"), user_id=user.pk).values("role")
    builds = Build.objects.filter(project__deleted_at=None, **build).select_related("project", "triggered_by")
    found: Any = builds.annotate(member_role=Subquery(role), has_second_factor=Exists(list_factors(user.pk))).first()
    if found is None or found.member_role is None:
        return None
    access = _grant(user, found.project, found.member_role, has_second_factor=found.has_second_factor)
    return (access, found) if access else None


def _grant(user: User | AnonymousUser, project: Project, role: str, *, has_second_factor: bool) -> ProjectAccess | None:
    """What a member of this role may do: a token less, or nothing; a person nothing without a second factor."""
    if not isinstance(user, TokenUser):
        if project.needs_second_factor and not has_second_factor:
            raise SecondFactorNeeded(project)
        return ProjectAccess(project, Role(role))
    if user.limit.project_id not in (None, project.pk):
        return None
    return ProjectAccess(project, find_lower_role(role, user.limit.role))


def _require(access: ProjectAccess, role: Role, user: User | AnonymousUser) -> None:
    if access.allows(role):
        return
    if isinstance(user, TokenUser):
        raise PermissionDenied(f"This needs the {role.label} role in {access.project.name}; the token has less.")
    raise PermissionDenied(f"You need the {role.label} role in {access.project.name}. Ask one of its admins.")


def get_build(
    user: User | AnonymousUser, slug: str, build_id: int, *, role: Role = Role.VIEWER
) -> tuple[ProjectAccess, Build]:
    """A build of a project that the user may see. One query. Raises as `get_project` does."""
    found = _find_build(user, pk=build_id, project__slug=slug)
    if found is None:
        access = get_project(user, slug, role=role)
        raise Http404(f"{access.project.name} has no build #{build_id}.")
    _require(found[0], role, user)
    return found


def get_build_by_id(
    user: User | AnonymousUser, build_id: int, *, role: Role = Role.VIEWER
) -> tuple[ProjectAccess, Build]:
    """As `get_build`, for who does not name the project. One query. One answer for "not yours" and "not there"."""
    found = _find_build(user, pk=build_id)
    if found is None:
        raise Http404(f"There is no build {build_id}, or you are not a member of its project.")
    _require(found[0], role, user)
    return found


def get_member(user: User | AnonymousUser, slug: str, membership_id: int) -> tuple[ProjectAccess, Membership]:
    """A member of a project that the user administers, with the account. Two queries. Raises as `get_project` does."""
    access = get_project(user, slug, role=Role.ADMIN)
    return access, _get_member_of(access, pk=membership_id)


def get_own_membership(user: User | AnonymousUser, slug: str) -> tuple[ProjectAccess, Membership]:
    """What the user is in the project. Two queries. Raises as `get_project` does."""
    access = get_project(user, slug)
    return access, _get_member_of(access, user_id=user.pk)


def _get_member_of(access: ProjectAccess, **wanted: int | None) -> Membership:
    members = Membership.objects.filter(project=access.project, **wanted)
    member = members.select_related("user", "project").first()
    if member is None:
        raise Http404(f"{access.project.name} has no such member.")
    return member
