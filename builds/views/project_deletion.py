"""Deleting a project, and having it back: for its admins."""

from dataclasses import dataclass
from math import ceil
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils import timezone

from builds.access import ProjectAccess, get_deleted_project, get_project
from builds.forms import ProjectDeletionForm
from builds.models import Project, Role
from builds.selectors import list_deleted_projects, list_projects
from builds.views.form_page import FormPage
from deployments.services.project_deletion import delete_project, find_end, restore_project
from metrics.projects import count_devices


@dataclass(frozen=True)
class DeletedRow:
    """A project that this person may have back, and for how many days still: the one that has begun counts."""

    project: Project
    days_left: int


def list_deleted(user: User | AnonymousUser) -> list[DeletedRow]:
    """Those deleted last come first. One query."""
    now = timezone.now()
    return [
        DeletedRow(project, ceil((find_end(project) - now).total_seconds() / 86_400))
        for project in list_deleted_projects(user)
    ]


class DeleteProject(FormPage):
    form_class = ProjectDeletionForm
    template_name = "builds/project_delete.html"
    access: ProjectAccess

    def load(self, **address: Any) -> None:
        self.access = get_project(self.request.user, address["slug"], role=Role.ADMIN)

    def back_url(self) -> str:
        return reverse("project_settings", args=[self.access.project.slug])

    def describe(self) -> dict[str, Any]:
        project = self.access.project
        return {
            "access": self.access,
            "devices": count_devices(list_projects(self.actor).filter(pk=project.pk)),
            "builds": project.builds.count(),
            "members": project.memberships.count(),
        }

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        project = delete_project(self.access.project.pk, actor=self.actor, **values)
        return reverse("project_list"), f"{project} is deleted. Below you can undo it for 30 days."


class RestoreProject(FormPage):
    template_name = "builds/project_restore.html"
    project: Project

    def load(self, **address: Any) -> None:
        self.project = get_deleted_project(self.request.user, address["slug"])

    def back_url(self) -> str:
        return reverse("project_list")

    def describe(self) -> dict[str, Any]:
        return {"project": self.project}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        project = restore_project(self.project.pk, actor=self.actor)
        return reverse("project_detail", args=[project.slug]), f"{project} is back, as it was."
