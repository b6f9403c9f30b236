"""Projects, builds and the audit log for support staff."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from builds import membership
from builds.models import AuditEntry, Build, Membership, Project, StoreStatus
from builds.services import edit_project
from builds.support_admin import (
    ServiceFormAdmin,
    ViewOnlyAdmin,
    describe_numbers,
    link_to,
    link_to_list,
    service_action,
)
from deployments.models import CodePush
from deployments.services import build_status, force_update
from deployments.views.cards import sort_labels
from metrics.models import ReportLogEntry
from metrics.selectors import measure_builds
from metrics.services import clear_metrics

admin.site.site_header = "CodePush Console support"
admin.site.site_title = "CodePush Console support"
admin.site.index_title = "Look up and act"


@admin.register(Project)
class ProjectAdmin(ServiceFormAdmin):
    """Support may edit a project's settings. Its address stays: scripts name the project by it.

    What it demands of production changes is for its own admins to say.
    """

    list_display = ("name", "slug", "show_builds", "show_members", "created_at")
    search_fields = ("name", "slug", "ios_bundle_id", "android_bundle_id", "huawei_bundle_id")
    date_hierarchy = "created_at"
    readonly_fields = (
        "slug",
        "needs_second_person",
        "approval_hours",
        "signing_key",
        "created_at",
        "show_builds",
        "show_members",
        "show_history",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_by_service(self, obj: Project, form: Any, staff: User) -> None:
        edit_project(obj.pk, actor=staff, **{name: form.cleaned_data[name] for name in form.changed_data})

    @admin.display(description="builds")
    def show_builds(self, project: Project) -> SafeString:
        return link_to_list(Build, "Builds", project__id__exact=project.pk)

    @admin.display(description="members")
    def show_members(self, project: Project) -> SafeString:
        return link_to_list(Membership, "Members", project__id__exact=project.pk)

    @admin.display(description="audit log")
    def show_history(self, project: Project) -> SafeString:
        return link_to_list(AuditEntry, "Audit entries", project__id__exact=project.pk)


@admin.register(Membership)
class MembershipAdmin(ServiceFormAdmin):
    """Support may let people into a project, change their roles and remove them; an admin always remains."""

    list_display = ("user", "show_project", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "project")
    search_fields = ("user__username", "user__first_name", "user__last_name", "project__name", "project__slug")
    autocomplete_fields = ("project", "user")
    date_hierarchy = "created_at"

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        # Another person in another project is another membership.
        return ("project", "user", "created_at") if obj else ("created_at",)

    def save_by_service(self, obj: Membership, form: Any, staff: User) -> None:
        if obj.pk:
            membership.change_role(obj.pk, actor=staff, role=obj.role)
        else:
            obj.pk = membership.add_member(obj.project_id, actor=staff, who=obj.user.username, role=obj.role).pk

    def delete_by_service(self, obj: Membership, staff: User) -> None:
        membership.remove_member(obj.pk, actor=staff)

    @admin.display(description="project", ordering="project__name")
    def show_project(self, membership: Membership) -> SafeString | str:
        return link_to(membership.project)


@service_action("Apply Force Update", warning="Devices on these builds get no CodePush and are sent to the store.")
def apply_force_update(build: Build, staff: User) -> str:
    force_update.apply_force_update(build.pk, actor=staff)
    return f"Force Update is applied to {build}."


@service_action("Lift Force Update")
def lift_force_update(build: Build, staff: User) -> str:
    force_update.lift_force_update(build.pk, actor=staff)
    return f"Force Update is not applied to {build}."


@service_action(
    "Mark as Live in store",
    warning="The build that is Live in that store becomes Approved; Force Update leads to these from then on.",
)
def mark_as_store_live(build: Build, staff: User) -> str:
    build_status.set_store_status(build.pk, actor=staff, store_status=StoreStatus.LIVE)
    return f"{build} is Live in the store."


@service_action(
    "Clear metrics",
    warning="Their devices, counts and charts go, which cannot be taken back. Reports that come later count anew.",
)
def clear_build_metrics(build: Build, staff: User) -> str:
    clear_metrics(build.pk, actor=staff)
    return f"The metrics of {build} are cleared."


@admin.register(Build)
class BuildAdmin(ViewOnlyAdmin):
    list_display = (
        "__str__",
        "show_project",
        "build_target",
        "build_number",
        "status",
        "store_status",
        "is_force_updated",
        "deployment_key",
        "created_at",
    )
    list_filter = ("platform", "build_target", "status", "store_status", "is_force_updated")
    list_select_related = ("project",)
    search_fields = (
        "=id",
        "deployment_key",
        "store_version",
        "build_number",
        "commit",
        "project__name",
        "project__slug",
        "codepushes__deployment_id",
    )
    search_help_text = "ID, deployment key, store version, build number, commit, project, or the ID of a CodePush"
    date_hierarchy = "created_at"
    readonly_fields = ("show_numbers", "show_codepushes", "show_reports", "show_history")
    actions = (apply_force_update, lift_force_update, mark_as_store_live, clear_build_metrics)

    @admin.display(description="project", ordering="project__name")
    def show_project(self, build: Build) -> SafeString | str:
        return link_to(build.project)

    @admin.display(description="numbers")
    def show_numbers(self, build: Build) -> SafeString:
        """Two queries."""
        metrics = measure_builds([build.deployment_key])[build.deployment_key]
        lines = [f"{metrics.total_devices:,} devices, as of {metrics.as_of:%Y-%m-%d %H:%M:%S} UTC"]
        lines += [describe_numbers(label, metrics.of(label)) for label in sort_labels(metrics.by_label)]
        return format_html_join("", "<div>{}</div>", ((line,) for line in lines))

    @admin.display(description="CodePushes")
    def show_codepushes(self, build: Build) -> SafeString:
        return link_to_list(CodePush, "CodePushes", build__id__exact=build.pk)

    @admin.display(description="device reports")
    def show_reports(self, build: Build) -> SafeString:
        return link_to_list(ReportLogEntry, "Reports", deployment_key=build.deployment_key)

    @admin.display(description="audit log")
    def show_history(self, build: Build) -> SafeString:
        return link_to_list(AuditEntry, "Audit entries", build__id__exact=build.pk)


@admin.register(AuditEntry)
class AuditEntryAdmin(ViewOnlyAdmin):
    list_display = (
        "created_at",
        "action",
        "actor_name",
        "address",
        "show_project",
        "show_build",
        "show_codepush",
        "reason",
    )
    list_display_links = ("created_at",)
    list_filter = ("action",)
    list_select_related = ("project", "build")
    search_fields = (
        "deployment_id",
        "actor_name",
        "reason",
        "project__name",
        "project__slug",
        "build__deployment_key",
    )
    search_help_text = "Deployment ID, person, reason, project, or deployment key"
    date_hierarchy = "created_at"

    @admin.display(description="project")
    def show_project(self, entry: AuditEntry) -> SafeString | str:
        return link_to(entry.project)

    @admin.display(description="build")
    def show_build(self, entry: AuditEntry) -> SafeString | str:
        return link_to(entry.build)

    @admin.display(description="CodePush")
    def show_codepush(self, entry: AuditEntry) -> SafeString | str:
        if not entry.deployment_id:
            return "–"
        return link_to_list(CodePush, entry.deployment_id, deployment_id=entry.deployment_id)
