"""A project's settings and its members: shown to every member, changed by its admins."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from builds import membership, services
from builds.access import ProjectAccess, get_member, get_own_membership, get_project
from builds.actors import name_person
from builds.errors import NotAllowedNow
from builds.forms import MemberForm, ProjectSettingsForm, RoleForm, SecondFactorForm
from builds.models import Membership, Role
from builds.views.form_page import FormPage
from deployments.services.production_rules import describe_key
from sign_in import invitations
from webhooks.selectors import count_webhooks

# What each role may do, for people who give it.
ROLE_HELP = {
    Role.VIEWER: "Sees everything, changes nothing.",
    Role.RELEASE_MANAGER: "Creates builds and CodePushes, rolls back, promotes, applies Force Update.",
    Role.ADMIN: "Also manages members and settings.",
}


@dataclass(frozen=True)
class MemberRow:
    """A member, what the role means, and why they must stay an admin ("" when they need not)."""

    member: Membership
    obstacle: str
    is_self: bool

    @property
    def name(self) -> str:
        return name_person(self.member.user)

    @property
    def role_help(self) -> str:
        return ROLE_HELP[Role(self.member.role)]


@require_safe
@login_required
def show_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """A fixed number of queries, however many members."""
    access = get_project(request.user, slug)
    members = list(membership.list_members(access.project))
    admins = [member for member in members if membership.can_administer(member)]
    context = {
        "access": access,
        "rows": [
            MemberRow(
                member,
                membership.describe_last_admin(member) if admins == [member] else "",
                is_self=member.user_id == request.user.pk,
            )
            for member in members
        ],
        "obstacle": _describe_obstacle(access, admins),
        "webhooks": count_webhooks(access.project),
        "invitations": list(invitations.list_open(access.project)) if access.can_manage else [],
        "now": timezone.now(),
        "signing_key_fingerprint": describe_key(access.project.signing_key),
    }
    return render(request, "builds/project_settings.html", context)


def _describe_obstacle(access: ProjectAccess, admins: list[Membership]) -> str:
    """Why this person cannot change anything here, and whom to ask; "" when they can."""
    if access.can_manage:
        return ""
    names = " or ".join(name_person(admin.user) for admin in admins) or "who runs this server"
    return f"You need the {Role.ADMIN.label} role to change something here. Ask {names}."


class SettingsPage(FormPage):
    """A form of the settings. Its project's admins only."""

    access: ProjectAccess

    def load(self, **address: Any) -> None:
        self.access = get_project(self.request.user, address["slug"], role=Role.ADMIN)

    def back_url(self) -> str:
        return reverse("project_settings", args=[self.access.project.slug])

    def describe(self) -> dict[str, Any]:
        return {"access": self.access, "role_help": [(role, role.label, text) for role, text in ROLE_HELP.items()]}


class EditProject(SettingsPage):
    form_class = ProjectSettingsForm
    template_name = "builds/project_edit.html"

    def initial(self) -> dict[str, Any]:
        return model_to_dict(self.access.project, services.EDITABLE_PROJECT_FIELDS)

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        project = services.edit_project(self.access.project.pk, actor=self.actor, **values)
        return self.back_url(), f"The settings of {project} are saved."


class ChangeSecondFactor(SettingsPage):
    form_class = SecondFactorForm
    template_name = "builds/project_second_factor.html"

    def initial(self) -> dict[str, Any]:
        return {"needs_second_factor": self.access.project.needs_second_factor}

    def describe(self) -> dict[str, Any]:
        without = membership.list_without_second_factor(self.access.project)
        return {**super().describe(), "without": [name_person(member.user) for member in without]}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        is_needed = values["needs_second_factor"]
        project = services.set_second_factor_needed(self.access.project.pk, actor=self.actor, is_needed=is_needed)
        return self.back_url(), f"Members of {project} need {'a' if is_needed else 'no'} second factor."


class AddMember(SettingsPage):
    form_class = MemberForm
    template_name = "builds/member_new.html"

    def initial(self) -> dict[str, Any]:
        return {"role": Role.VIEWER}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        member = membership.add_member(self.access.project.pk, actor=self.actor, **values)
        who = f"{name_person(member.user)} ({member.user.get_username()})"
        return self.back_url(), f"{who} is a member now. Role: {member.get_role_display()}."


class _MemberPage(SettingsPage):
    """A form about one member."""

    member: Membership

    def load(self, **address: Any) -> None:
        self.access, self.member = get_member(self.request.user, address["slug"], address["membership_id"])

    def require_possible(self) -> None:
        obstacle = membership.find_leaving_obstacle(self.member)
        if obstacle:
            raise NotAllowedNow(obstacle)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "member": self.member, "name": name_person(self.member.user)}


class ChangeRole(_MemberPage):
    form_class = RoleForm
    template_name = "builds/member_role.html"

    def initial(self) -> dict[str, Any]:
        return {"role": self.member.role}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        member = membership.change_role(self.member.pk, actor=self.actor, **values)
        return self.back_url(), f"{name_person(member.user)} has the {member.get_role_display()} role."


class RemoveMember(_MemberPage):
    template_name = "builds/member_remove.html"

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        membership.remove_member(self.member.pk, actor=self.actor)
        if self.member.user_id == self.actor.pk:
            return reverse("project_list"), f"You have left {self.access.project}."
        return self.back_url(), f"{name_person(self.member.user)} is not a member any more."


class LeaveProject(RemoveMember):
    """Anybody may leave, but the last admin."""

    template_name = "builds/project_leave.html"

    def load(self, **address: Any) -> None:
        self.access, self.member = get_own_membership(self.request.user, address["slug"])
