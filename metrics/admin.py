"""The report log for support staff: what a device said, and when."""

from django.contrib import admin
from django.utils.safestring import SafeString

from builds.models import Build
from builds.support_admin import ViewOnlyAdmin, link_to_list
from metrics.models import ReportLogEntry


@admin.register(ReportLogEntry)
class ReportLogEntryAdmin(ViewOnlyAdmin):
    list_display = ("received_at", "event", "show_client_unique_id", "label", "app_version", "show_deployment_key")
    list_display_links = ("received_at",)
    list_filter = ("event",)
    # Exact, and no hierarchy of dates: the log is long, and only these have indexes.
    search_fields = ("client_unique_id__exact", "deployment_key__exact")
    search_help_text = "A whole client id, or a whole deployment key"

    @admin.display(description="client id")
    def show_client_unique_id(self, entry: ReportLogEntry) -> str:
        """Enough to tell devices apart on a shared screen, not enough to copy one."""
        client = entry.client_unique_id
        return f"{client[:4]}…{client[-2:]}" if len(client) > 8 else "…" if client else "–"

    @admin.display(description="deployment key", ordering="deployment_key")
    def show_deployment_key(self, entry: ReportLogEntry) -> SafeString:
        return link_to_list(Build, entry.deployment_key, deployment_key=entry.deployment_key)
