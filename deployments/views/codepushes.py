"""Create, edit, retry and cancel, as forms."""

from typing import Any

from builds.forms import ServiceForm
from deployments import selectors
from deployments.forms import CreateForm, EditForm
from deployments.policy.failure import lies_in_bundle
from deployments.policy.previews import Preview, apply_settings, hint_at_switching, preview_edit, preview_upload
from deployments.services import checks, codepushes
from deployments.views.codepush_pages import BuildFormPage, CodePushFormPage
from deployments.views.previews import clamp_rollout, load_fleet


class CreateCodePush(BuildFormPage):
    form_class = CreateForm
    template_name = "deployments/codepush_new.html"
    creates = True

    def require_possible(self) -> None:
        checks.require_accepts_codepushes(self.build)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "preview": self._preview()}

    def _preview(self) -> Preview:
        """One query."""
        return preview_upload(
            load_fleet(self.build, self.metrics),
            is_mandatory=self.values["is_mandatory"],
            rollout_percent=clamp_rollout(self.values["rollout_percent"]),
        )

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        codepush = codepushes.create_codepush(self.build.pk, actor=self.actor, upload=values.pop("bundle"), **values)
        return self.card_url(codepush), "CodePush created. It becomes Live when processing succeeds."


class EditCodePush(CodePushFormPage):
    form_class = EditForm
    template_name = "deployments/codepush_edit.html"

    def require_possible(self) -> None:
        checks.require_success(self.codepush, to_be="edited")

    def initial(self) -> dict[str, Any]:
        return self.codepush.describe_settings()

    def describe(self) -> dict[str, Any]:
        fleet = load_fleet(self.build, self.metrics)
        before = fleet.get(self.codepush.label_number or 0)
        values = {**self.values, "rollout_percent": clamp_rollout(self.values["rollout_percent"])}
        after = apply_settings(before, values)
        live = fleet.with_update(after).live or before
        preview = preview_edit(fleet, before, after, selectors.measure_costs(live.bundle_id))
        return {
            **super().describe(),
            "preview": preview,
            "switch_hint": hint_at_switching(fleet, before),
            "submit": f"Disable {self.codepush}" if preview.is_danger else "Save changes",
        }

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        codepush = codepushes.edit_codepush(self.codepush.pk, actor=self.actor, **values)
        live = selectors.find_live_codepush(self.build)
        now = f"{live} is Live." if live else "No update is Live."
        return self.back_url(), f"{codepush} saved. {now}"


class RetryCodePush(CodePushFormPage):
    form_class = ServiceForm
    template_name = "deployments/codepush_retry.html"

    def require_possible(self) -> None:
        checks.require_failed(self.codepush)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "lies_in_bundle": lies_in_bundle(self.codepush.failure_reason)}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        codepushes.retry(self.codepush.pk, actor=self.actor)
        return self.back_url(), f"{self.codepush} runs again."


class CancelCodePush(CodePushFormPage):
    form_class = ServiceForm
    template_name = "deployments/codepush_cancel.html"

    def require_possible(self) -> None:
        checks.require_unfinished(self.codepush)

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        codepushes.cancel(self.codepush.pk, actor=self.actor)
        return self.back_url(), f"{self.codepush} is canceled. Nothing has changed for devices."
