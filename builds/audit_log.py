"""Reads of the audit log, across the projects of a person. Each says what it costs."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet

from builds.actors import WORKER_NAME
from builds.models import AuditAction, AuditEntry, Build, Project
from builds.querysets import AuditEntryQuerySet


def list_members(projects: Iterable[Project]) -> QuerySet[User]:
    """Who is a member of any of these now, by name."""
    members = User.objects.filter(memberships__project__in=projects)
    return members.distinct().order_by("first_name", "last_name", "username")


def list_entries(
    projects: Iterable[Project],
    members: Iterable[User],
    *,
    project: str = "",
    actor: str = "",
    action: str = "",
    since: str = "",
    until: str = "",
    deployment_id: str = "",
    build_id: int | None = None,
) -> AuditEntryQuerySet:
    """Entries of these projects, newest first, with project and build. One query.

    `actor`: a person's id, "worker", or "left" for whoever is not among `members`. `since` and `until`: days in UTC,
    both included.
    """
    # Ids rather than a subquery: with them the database can tell whether the newest entries are mostly ours.
    project_ids = [each.pk for each in projects if project in ("", each.slug)]
    entries = AuditEntry.objects.filter(project_id__in=project_ids)
    if action:
        entries = entries.filter(action=action)
    if since:
        entries = entries.filter(created_at__gte=_at(since, time.min))
    if until:
        entries = entries.filter(created_at__lte=_at(until, time.max))
    if deployment_id:
        entries = entries.filter(deployment_id=deployment_id)
    if build_id is not None:
        entries = entries.filter(build_id=build_id)
    if actor:
        entries = entries.filter(_is_by(actor, members))
    return entries.select_related("project", "build__project").order_by("-id")


def list_entries_about(build: Build, deployment_id: str) -> AuditEntryQuerySet:
    """What was done to one CodePush of the build, newest first."""
    return AuditEntry.objects.filter(deployment_id=deployment_id, build=build).order_by("-id")


def list_own_entries(user: User) -> AuditEntryQuerySet:
    """What happened to the person's own account, newest first: no project's business. One query."""
    return AuditEntry.objects.filter(actor=user, project=None).order_by("-id")


def find_last_entry(project: Project) -> AuditEntry | None:
    """What was last done in the project. One query."""
    return AuditEntry.objects.filter(project=project).order_by("-id").first()


def list_turned_off(user: User | AnonymousUser, *, since: datetime) -> list[AuditEntry]:
    """Where the second person for production was turned off lately. One query."""
    entries = AuditEntry.objects.filter(
        project__in=Project.objects.visible_to(user),
        action=AuditAction.SECOND_PERSON_CHANGED,
        created_at__gte=since,
        after__needs_second_person=False,
        project__needs_second_person=False,
    )
    newest = {entry.project_id: entry for entry in entries.select_related("project").order_by("id")}
    return list(newest.values())


def _is_by(actor: str, members: Iterable[User]) -> Q:
    is_worker = Q(actor=None, actor_name=WORKER_NAME)
    if actor == "worker":
        return is_worker
    if actor == "left":
        return ~is_worker & (Q(actor=None) | ~Q(actor__in=[member.pk for member in members]))
    return Q(actor_id=int(actor))


def _at(day: str, moment: time) -> datetime:
    return datetime.combine(date.fromisoformat(day), moment, tzinfo=UTC)
