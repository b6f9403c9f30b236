"""Deleting a project, and having it back for a month. What follows then: `metrics.project_purge`."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from builds import audit
from builds.clock import read_clock
from builds.errors import InvalidInput, NotAllowedNow
from builds.models import AuditAction, Build, Project
from builds.querysets import DELETED_KEPT_FOR
from deployments.services.change import publish_builds


def delete_project(project_id: int, *, actor: User, confirmation: str) -> Project:
    """People find the project nowhere any more, programs and webhooks are cut off, and to devices its keys are unknown.

    Nothing is lost yet. `confirmation`: its address, typed by who deletes it. Raises InvalidInput, NotAllowedNow (it is
    deleted).
    """
    with transaction.atomic():
        project = _lock(project_id)
        if project.deleted_at is not None:
            raise NotAllowedNow(f"{project} is deleted already.")
        if confirmation != project.slug:
            raise InvalidInput(f"You typed {confirmation!r}; type {project.slug} to confirm.", field="confirmation")
        project.deleted_at, project.deleted_by_id = read_clock(), actor.pk
        project.save(update_fields=["deleted_at", "deleted_by"])
        after = {"name": project.name, "slug": project.slug, "until": f"{find_end(project):%Y-%m-%d}"}
        audit.record(AuditAction.PROJECT_DELETED, actor=actor, project=project, after=after)
        _publish(project)
    return project


def restore_project(project_id: int, *, actor: User) -> Project:
    """The project is there as it was, to people, programs and devices. Raises NotAllowedNow (not deleted; too late)."""
    with transaction.atomic():
        project = _lock(project_id)
        if project.deleted_at is None:
            raise NotAllowedNow(f"{project} is not deleted.")
        if project.purged_at is not None or find_end(project) <= read_clock():
            raise NotAllowedNow(f"{project} was deleted more than {DELETED_KEPT_FOR.days} days ago, for good.")
        project.deleted_at = project.deleted_by = None
        project.save(update_fields=["deleted_at", "deleted_by"])
        # What waited for all that time is no failure of the receiver: it gets its day anew.
        project.webhooks.filter(is_active=True).update(active_since=read_clock())
        audit.record(AuditAction.PROJECT_RESTORED, actor=actor, project=project, after={"name": project.name})
        _publish(project)
    return project


def find_end(project: Project) -> datetime:
    """When a deleted project can no longer be had back."""
    if project.deleted_at is None:
        raise ValueError(f"{project} is not deleted.")
    return project.deleted_at + DELETED_KEPT_FOR


def _lock(project_id: int) -> Project:
    # no_key: builds and audit entries, which point to this row, go on meanwhile.
    return Project.objects.select_for_update(no_key=True).get(pk=project_id)


def _publish(project: Project) -> None:
    # In order of id, as whoever locks several builds.
    publish_builds(list(Build.objects.select_for_update().filter(project=project).order_by("id")))
