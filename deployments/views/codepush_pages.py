"""What the forms on one CodePush have in common."""

from functools import cached_property
from typing import Any

from django.urls import reverse

from builds.access import ProjectAccess, get_build
from builds.forms import ServiceForm
from builds.models import Build, Role
from builds.views.form_page import FormPage
from deployments import selectors
from deployments.models import ChangeRequest, CodePush
from deployments.policy.previews import Preview, wait_first
from deployments.services import approvals
from deployments.services.change import needs_second_person
from deployments.views.access import get_codepush
from deployments.views.addresses import build_url, card_url
from deployments.views.waiting import describe_request
from metrics.selectors import BuildMetrics, measure_builds


class BuildFormPage(FormPage):
    """A form about one build, for release managers."""

    access: ProjectAccess
    build: Build

    def load(self, **address: Any) -> None:
        self.access, self.build = get_build(self.request.user, role=Role.RELEASE_MANAGER, **address)

    def back_url(self) -> str:
        return build_url(self.build)

    def card_url(self, codepush: CodePush) -> str:
        """Build Detail, scrolled to the card of a CodePush that has just been created."""
        return f"{build_url(self.build)}#{codepush.deployment_id}"

    def action_url(self, action: str, codepush: CodePush) -> str:
        """The form of another action, such as "codepush_rollback"."""
        return reverse(action, args=[self.access.project.slug, self.build.pk, codepush.deployment_id])

    # Where a second person is needed: whether what is sent may be asked for, and whether it always is.
    asks = False
    always_asks = False

    @property
    def needs_second_person(self) -> bool:
        """Whether what widens an update's reach is asked for here, and not done."""
        return needs_second_person(self.build, self.access.project)

    def make_form(self, *args: Any, **kwargs: Any) -> ServiceForm:
        form = super().make_form(*args, **kwargs)
        if self.needs_second_person and self.asks:
            reason = form.fields["reason"]
            reason.required = self.always_asks
            reason.error_messages["required"] = approvals.SAY_WHY
            reason.help_text = "For who approves it, and for the audit log."
        return form

    def wait_first(self, preview: Preview) -> Preview:
        return wait_first(preview, self.access.project.approval_hours)

    def tell_asked(self, request: ChangeRequest) -> str:
        """The sentence shown once something was asked for."""
        return f"Asked for approval: {describe_request(request)}. Nothing changes until somebody else approves it."

    @cached_property
    def metrics(self) -> BuildMetrics:
        """Two queries."""
        return measure_builds([self.build.deployment_key])[self.build.deployment_key]

    def describe(self) -> dict[str, Any]:
        """What every such page names, and what is Live: the form is opened against it."""
        live = selectors.find_live_codepush(self.build) if self.build.is_successful else None
        return {
            "access": self.access,
            "build": self.build,
            "live": live,
            "devices": self.metrics.current_devices,
            "needs_second_person": self.needs_second_person,
        }


class CodePushFormPage(BuildFormPage):
    """A form about one CodePush, for release managers."""

    codepush: CodePush

    def load(self, **address: Any) -> None:
        self.access, self.build, self.codepush = get_codepush(self.request.user, role=Role.RELEASE_MANAGER, **address)

    def back_url(self) -> str:
        """Build Detail at the card, on whichever page it stands."""
        return card_url(self.build, self.codepush.deployment_id)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "codepush": self.codepush}
