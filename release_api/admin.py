"""Tokens of the release API for support staff: whose they are, what they may do, when they were used; and revoking."""

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from builds.support_admin import ViewOnlyAdmin, link_to, service_action
from release_api import tokens
from release_api.models import ApiToken


@service_action("Revoke", warning="Requests with these tokens are refused from now on. That cannot be taken back.")
def revoke(token: ApiToken, staff: User) -> str:
    tokens.revoke_token(token, actor=staff)
    return f"Token “{token.name}” (…{token.ending}) is revoked."


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("active", "Active"), ("expired", "Expired"), ("revoked", "Revoked")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[ApiToken]") -> "QuerySet[ApiToken]":
        has_expired = Q(expires_at__lte=timezone.now())
        match self.value():
            case "revoked":
                return queryset.exclude(revoked_at=None)
            case "expired":
                return queryset.filter(has_expired, revoked_at=None)
            case "active":
                return queryset.filter(~has_expired | Q(expires_at=None), revoked_at=None)
            case _:
                return queryset


@admin.register(ApiToken)
class ApiTokenAdmin(ViewOnlyAdmin):
    """The token itself is kept nowhere. Its hash is not shown either: what is found of it is its beginning, the ID."""

    list_display = (
        "name",
        "show_ending",
        "show_state",
        "user",
        "show_project",
        "role",
        "last_used_at",
        "last_used_address",
        "expires_at",
        "created_at",
    )
    list_filter = (StateFilter, "role")
    list_select_related = ("user", "project")
    search_fields = (
        "name",
        "=ending",
        "^digest",
        "user__username",
        "user__email",
        "project__name",
        "project__slug",
        "=last_used_address",
    )
    search_help_text = "Name, last four characters, ID (start of its SHA-256), person, project, or address of last use"
    date_hierarchy = "created_at"
    fields = (
        "name",
        "show_id",
        "show_ending",
        "show_state",
        "user",
        "show_project",
        "role",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
        "last_used_address",
    )
    readonly_fields = ("show_id", "show_ending", "show_state", "show_project")
    actions = (revoke,)

    @admin.display(description="ID")
    def show_id(self, token: ApiToken) -> str:
        return token.fingerprint

    @admin.display(description="ends with")
    def show_ending(self, token: ApiToken) -> str:
        return f"…{token.ending}"

    @admin.display(description="state")
    def show_state(self, token: ApiToken) -> str:
        return tokens.find_state(token, timezone.now()).capitalize()

    @admin.display(description="reaches", ordering="project__name")
    def show_project(self, token: ApiToken) -> SafeString | str:
        return link_to(token.project) if token.project else "all projects"
