"""Create, edit, retry and cancel, as pages."""

from typing import Any

from builds.forms import ServiceForm
from deployments import selectors
from deployments.forms import CreateForm, EditForm
from deployments.services import checks, codepushes
from deployments.views.codepush_pages import BuildFormPage, CodePushFormPage


class CreateCodePush(BuildFormPage):
    form_class = CreateForm
    template_name = "deployments/codepush_new.html"

    def require_possible(self) -> None:
        checks.require_accepts_codepushes(self.build)

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
        shown = super().describe()
        live = shown["live"]
        is_live = live is not None and live.pk == self.codepush.pk
        label_number = self.codepush.label_number or 0
        return {
            **shown,
            "is_live": is_live,
            "fallback": selectors.find_previous_enabled(self.codepush) if is_live else None,
            "would_be_live": live is None or label_number > (live.label_number or 0),
            "active_devices": shown["metrics"].of(self.codepush.label).active_devices,
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
