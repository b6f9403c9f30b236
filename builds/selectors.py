"""Reads for project and build pages. Each says what it costs."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Case, Exists, OuterRef, Q, Sum, When
from django.utils import timezone

from builds.actors import name_person
from builds.models import AuditAction, AuditEntry, Build, BuildTarget, Membership, Project, Role
from builds.querysets import AuditEntryQuerySet, BuildQuerySet, ProjectQuerySet


def list_projects(user: User | AnonymousUser, *, q: str = "", platform: str = "") -> ProjectQuerySet:
    """Projects of the user, by name. `platform`: those that have a bundle ID or a build for it. One query."""
    projects = Project.objects.visible_to(user)
    if q:
        projects = projects.filter(
            Q(name__icontains=q)
            | Q(ios_bundle_id__icontains=q)
            | Q(android_bundle_id__icontains=q)
            | Q(huawei_bundle_id__icontains=q)
        )
    if platform:
        builds = Build.objects.filter(project=OuterRef("pk"), platform=platform)
        projects = projects.filter(~Q(**{f"{platform}_bundle_id": ""}) | Exists(builds))
    return projects


def list_deleted_projects(user: User | AnonymousUser) -> ProjectQuerySet:
    """Those that the user may have back, deleted last first, with who did it. One query."""
    return Project.objects.recoverable_by(user).select_related("deleted_by").order_by("-deleted_at")


def list_locked(user: User | AnonymousUser) -> ProjectQuerySet:
    """Projects that the user would see with a second factor, by name. One query."""
    return Project.objects.locked_to(user).order_by("name", "id")


def list_project_builds(
    project: Project,
    *,
    platform: str = "",
    store: str = "",
    status: str = "",
    target: str = "",
    created: str = "",
    q: str = "",
) -> BuildQuerySet:
    """Builds of the project, newest first, with who triggered them.

    `created`: in how many last days. `q`: part of a version or name, or a build's ID.
    """
    wanted = {"platform": platform, "store_status": store, "status": status, "build_target": target}
    builds = Build.objects.filter(project=project, **{name: value for name, value in wanted.items() if value})
    if created:
        builds = builds.filter(created_at__gte=timezone.now() - timedelta(days=int(created)))
    if q:
        matches = (
            Q(store_version__icontains=q)
            | Q(build_number=q)
            | Q(triggered_by__username__icontains=q)
            | Q(triggered_by__first_name__icontains=q)
            | Q(triggered_by__last_name__icontains=q)
        )
        build_id = read_build_id(q)
        if build_id is not None:
            matches |= Q(pk=build_id)
        builds = builds.filter(matches)
    return builds.select_related("triggered_by").newest_first()


def read_build_id(text: str) -> int | None:
    """The number of "42" or "#42"; None for anything else."""
    number = text.removeprefix("#")
    # Nineteen digits and more do not fit the column.
    return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None


def find_builds(user: User | AnonymousUser, text: str) -> BuildQuerySet:
    """Builds of the user's projects that the text names: by ID, build number, deployment key or store version.

    Exact ones (`is_exact`) first, then those whose store version begins so, each newest first. One query.
    """
    exact = Q(pk=read_build_id(text)) if read_build_id(text) is not None else Q(pk__in=())
    if not text.startswith("#"):
        exact |= Q(build_number=text) | Q(deployment_key=text) | Q(store_version=text)
    return (
        Build.objects.filter(exact | Q(store_version__startswith=text), project__in=Project.objects.visible_to(user))
        .annotate(is_exact=Case(When(exact, then=True), default=False))
        .select_related("project")
        .order_by("-is_exact", "-id")
    )


def list_store_live_builds(projects: Iterable[Project]) -> BuildQuerySet:
    """The production builds that users of these projects can install now: at most one per project and platform."""
    return Build.objects.filter(project__in=projects, build_target=BuildTarget.PRODUCTION).store_live().order_by("id")


def find_store_live_build(build: Build) -> Build | None:
    """The build that is store-live where this one would be: same project, platform and build target."""
    return Build.objects.in_slot_of(build).store_live().first()


def count_forced_builds(build: Build) -> int:
    """How many builds of the same project, platform and build target have Force Update."""
    return Build.objects.in_slot_of(build).filter(is_force_updated=True).count()


def reload_build(build: Build) -> Build:
    """The build as it is now, with its project and who triggered it. One query."""
    return Build.objects.select_related("project", "triggered_by").get(pk=build.pk)


_STORE_ACTIONS = (
    AuditAction.STORE_STATUS_CHANGED,
    AuditAction.STORE_STATUS_DEMOTED,
    AuditAction.FORCE_UPDATE_APPLIED,
    AuditAction.FORCE_UPDATE_LIFTED,
)
_STORE_ENTRIES = 20


def list_store_entries(build: Build) -> AuditEntryQuerySet:
    """What happened to the build in the store, newest first, and which builds it replaced there. One query."""
    own = Q(build=build, action__in=_STORE_ACTIONS)
    replaced = Q(project=build.project_id, action=AuditAction.STORE_STATUS_DEMOTED, after__replaced_by=build.pk)
    return AuditEntry.objects.filter(own | replaced).select_related("build").order_by("-id")[:_STORE_ENTRIES]


def find_admin_name(project: Project) -> str:
    """An admin of the project, to be asked; the first who became one. "" when there is none. One query."""
    admins = Membership.objects.filter(project=project, role=Role.ADMIN).select_related("user").order_by("id")
    admin = admins.first()
    return name_person(admin.user) if admin else ""


def list_project_revisions(user: User | AnonymousUser) -> list[tuple[Any, ...]]:
    """What differs whenever a build of the user's projects was changed, or the user sees other projects. One query."""
    projects = Project.objects.visible_to(user).order_by("pk")
    return list(projects.annotate(sum=Sum("builds__revision")).values_list("pk", "name", "sum"))
