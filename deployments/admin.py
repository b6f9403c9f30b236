"""CodePushes and their bundles for support staff. All that devices depend on is read-only; actions call services."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from builds.errors import NotAllowedNow
from builds.models import AuditEntry
from builds.support_admin import ViewOnlyAdmin, describe_numbers, link_to, link_to_list, service_action
from deployments.models import Bundle, BundleDiff, ChangeRequest, CodePush
from deployments.policy.label import find_label_number
from deployments.querysets import CodePushQuerySet
from deployments.selectors import list_rollback_sources
from deployments.services import checks, codepushes, republishing
from metrics.selectors import measure_builds


@service_action("Disable", warning="Disabling the Live CodePush makes the previous enabled success Live again.")
def disable(codepush: CodePush, staff: User) -> str:
    codepushes.edit_codepush(codepush.pk, actor=staff, is_enabled=False)
    return f"{_name(codepush)} is disabled."


@service_action(
    "Enable", warning="An enabled CodePush with the highest label becomes Live: devices will be offered it."
)
def enable(codepush: CodePush, staff: User) -> str:
    codepushes.edit_codepush(codepush.pk, actor=staff, is_enabled=True)
    return f"{_name(codepush)} is enabled."


@service_action("Promote", warning="A copy of each becomes Live under the next label of its build.")
def promote(codepush: CodePush, staff: User) -> str:
    copy = republishing.promote(codepush.pk, actor=staff)
    return f"{_name(copy)} is Live (references {codepush})."


@service_action(
    "Roll back to the previous success",
    warning="The newest earlier success with another bundle becomes Live again, as a copy under the next label.",
)
def roll_back(codepush: CodePush, staff: User) -> str:
    checks.require_success(codepush, to_be="rolled back")
    earlier = list_rollback_sources(codepush.build, codepush).exclude(bundle=codepush.bundle_id).first()
    if earlier is None:
        raise NotAllowedNow(f"{_name(codepush)} has no earlier success with another bundle to go back to.")
    copy = republishing.roll_back(codepush.pk, to_label=earlier.label, actor=staff, expected_live=codepush.label)
    return f"{_name(copy)} is Live (references {earlier})."


@service_action("Retry processing")
def retry(codepush: CodePush, staff: User) -> str:
    codepushes.retry(codepush.pk, actor=staff)
    return f"CodePush {codepush.deployment_id} is pending again."


@service_action("Cancel processing")
def cancel(codepush: CodePush, staff: User) -> str:
    codepushes.cancel(codepush.pk, actor=staff)
    return f"CodePush {codepush.deployment_id} is canceled."


def _name(codepush: CodePush) -> str:
    # The build first: the admin's template capitalises messages, and "V3" is no label.
    return f"{codepush.build}: {codepush}"


@admin.register(CodePush)
class CodePushAdmin(ViewOnlyAdmin):
    list_display = (
        "deployment_id",
        "show_label",
        "show_is_live",
        "status",
        "show_build",
        "show_project",
        "is_enabled",
        "is_mandatory",
        "rollout_percent",
        "origin",
        "created_at",
    )
    list_filter = ("status", "origin", "is_enabled", "is_mandatory", "build__platform", "build__build_target")
    list_select_related = ("build__project",)
    search_fields = (
        "deployment_id",
        "build__deployment_key",
        "bundle__package_hash",
        "build__project__name",
        "build__project__slug",
    )
    search_help_text = "Deployment ID, deployment key, label (v3), package hash, or project; several words narrow down"
    date_hierarchy = "created_at"
    readonly_fields = ("show_is_live", "show_numbers", "show_history")
    actions = (disable, enable, promote, roll_back, retry, cancel)

    def get_queryset(self, request: HttpRequest) -> CodePushQuerySet:
        return CodePush.objects.with_is_live()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """A word like "v3" means the label; the other words are searched for as usual."""
        numbers = {word: find_label_number(word.lower()) for word in search_term.split()}
        rest = " ".join(word for word, number in numbers.items() if number is None)
        found, may_have_duplicates = super().get_search_results(request, queryset, rest)
        for number in filter(None, numbers.values()):
            found = found.filter(label_number=number)
        return found, may_have_duplicates

    @admin.display(description="label", ordering="label_number")
    def show_label(self, codepush: CodePush) -> str:
        return codepush.label or "–"

    @admin.display(description="live", boolean=True)
    def show_is_live(self, codepush: CodePush) -> bool:
        is_live: bool = codepush.is_live  # type: ignore[attr-defined]
        return is_live

    @admin.display(description="numbers")
    def show_numbers(self, codepush: CodePush) -> str:
        """Two queries."""
        if not codepush.label:
            return "–"
        key = codepush.build.deployment_key
        return describe_numbers(codepush.label, measure_builds([key])[key].of(codepush.label))

    @admin.display(description="build", ordering="build")
    def show_build(self, codepush: CodePush) -> SafeString | str:
        return link_to(codepush.build)

    @admin.display(description="project", ordering="build__project__name")
    def show_project(self, codepush: CodePush) -> SafeString | str:
        return link_to(codepush.build.project)

    @admin.display(description="audit log")
    def show_history(self, codepush: CodePush) -> SafeString:
        return link_to_list(AuditEntry, "Audit entries", deployment_id=codepush.deployment_id)


@admin.register(ChangeRequest)
class ChangeRequestAdmin(ViewOnlyAdmin):
    list_display = ("__str__", "show_build", "show_codepush", "status", "requested_by", "requested_at", "decided_by")
    list_filter = ("status", "kind")
    list_select_related = ("build", "codepush", "requested_by", "decided_by")
    search_fields = ("codepush__deployment_id", "build__project__name", "build__project__slug", "reason")
    search_help_text = "Deployment ID, project or reason"
    date_hierarchy = "requested_at"

    @admin.display(description="build")
    def show_build(self, request: ChangeRequest) -> SafeString | str:
        return link_to(request.build)

    @admin.display(description="CodePush")
    def show_codepush(self, request: ChangeRequest) -> SafeString | str:
        return link_to(request.codepush) if request.codepush else "–"


@admin.register(Bundle)
class BundleAdmin(ViewOnlyAdmin):
    list_display = ("package_hash", "size_bytes", "js_bundle_path", "hermes_bytecode_version", "created_at")
    list_filter = ("hermes_bytecode_version",)
    search_fields = ("package_hash", "content_hash", "archive_sha256", "codepushes__deployment_id")
    search_help_text = "Package hash, SHA-256 of the archive, or the deployment ID of a CodePush that carries it"
    date_hierarchy = "created_at"
    # A manifest can be a megabyte.
    exclude = ("manifest",)
    readonly_fields = ("show_codepushes",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Bundle]:
        return super().get_queryset(request).defer("manifest")

    @admin.display(description="CodePushes")
    def show_codepushes(self, bundle: Bundle) -> SafeString:
        return link_to_list(CodePush, "CodePushes that carry it", bundle__id__exact=bundle.pk)


@admin.register(BundleDiff)
class BundleDiffAdmin(ViewOnlyAdmin):
    list_display = ("__str__", "show_from_bundle", "show_to_bundle", "size_bytes", "created_at")
    search_fields = ("from_bundle__package_hash", "to_bundle__package_hash")
    search_help_text = "Package hash of either bundle"
    date_hierarchy = "created_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[BundleDiff]:
        diffs: QuerySet[BundleDiff] = super().get_queryset(request)
        return diffs.select_related("from_bundle", "to_bundle").defer("from_bundle__manifest", "to_bundle__manifest")

    @admin.display(description="from")
    def show_from_bundle(self, diff: BundleDiff) -> SafeString | str:
        return link_to(diff.from_bundle)

    @admin.display(description="to")
    def show_to_bundle(self, diff: BundleDiff) -> SafeString | str:
        return link_to(diff.to_bundle)
