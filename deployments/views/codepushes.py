"""Create, edit, retry and cancel, as forms."""

from typing import Any, cast

from builds.errors import DomainError
from builds.forms import ServiceForm
from deployments import selectors
from deployments.forms import CreateForm, EditForm
from deployments.models import Upload
from deployments.policy import transitions
from deployments.policy.previews import Preview, apply_settings, hint_at_switching, preview_edit, preview_upload
from deployments.services import approvals, checks, codepushes, uploads
from deployments.views.codepush_pages import BuildFormPage, CodePushFormPage
from deployments.views.previews import clamp_rollout, load_fleet
from deployments.views.uploads import describe_upload


class CreateCodePush(BuildFormPage):
    """The archive comes with the form, or was uploaded before (`uploads`). Whatever is refused, it is kept."""

    form_class = CreateForm
    template_name = "deployments/codepush_new.html"
    creates = True
    asks = True
    upload: Upload | None = None
    is_taken = False

    def require_possible(self) -> None:
        checks.require_accepts_codepushes(self.build)

    def initial(self) -> dict[str, Any]:
        """The settings of the failed one that this is to replace (`?like=`)."""
        like = selectors.list_codepushes(self.build).filter(deployment_id=self.request.GET.get("like", "")).first()
        return like.describe_settings() if like else {}

    def describe(self) -> dict[str, Any]:
        shown = super().describe()
        return {
            **shown,
            "preview": self._preview(),
            "upload_refusal": self._keep_upload(),
            **describe_upload(self.build, self.upload, shown["live"]),
        }

    def _preview(self) -> Preview:
        """One query."""
        preview = preview_upload(
            load_fleet(self.build, self.metrics),
            is_mandatory=self.values["is_mandatory"],
            rollout_percent=clamp_rollout(self.values["rollout_percent"]),
        )
        return self.wait_first(preview) if self.needs_second_person else preview

    def prepare(self) -> None:
        self._take_upload()

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        del values["bundle"], values["upload"]
        # `prepare` took it.
        upload = cast(Upload, self.upload)
        codepush = codepushes.create_codepush(self.build.pk, actor=self.actor, upload=upload, **values)
        if self.needs_second_person:
            return self.card_url(codepush), "CodePush created. Once it is checked, it waits for a second person."
        return self.card_url(codepush), "CodePush created. It becomes Live when processing succeeds."

    def _take_upload(self) -> None:
        """The archive that was sent, or else the one named. Raises DomainError."""
        self.is_taken = True
        file, upload_id = self.request.FILES.get("bundle"), self.request.POST.get("upload", "")
        if file:
            self.upload = uploads.stage_upload(self.build, actor=self.actor, file=file, file_name=file.name or "")
        else:
            self.upload = uploads.get_upload(upload_id, build=self.build, actor=self.actor)

    def _keep_upload(self) -> str:
        """Of a form that is refused for something else the archive is kept. Returns why it cannot be, or ""."""
        if not self.is_taken and (self.request.FILES.get("bundle") or self.request.POST.get("upload")):
            try:
                self._take_upload()
            except DomainError as refusal:
                return refusal.message
        return ""


class EditCodePush(CodePushFormPage):
    form_class = EditForm
    asks = True
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
        submit = f"Disable {self.codepush}" if preview.is_danger else "Save changes"
        if self._must_wait(values):
            preview, submit = self.wait_first(preview), "Ask for approval"
        return {
            **super().describe(),
            "preview": preview,
            "switch_hint": hint_at_switching(fleet, before),
            "submit": submit,
        }

    def _must_wait(self, values: dict[str, Any]) -> bool:
        before = self.codepush.describe_settings()
        return self.needs_second_person and transitions.widens_reach(before, before | values)

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        if self._must_wait(values):
            request = approvals.ask_to_edit(self.codepush.pk, actor=self.actor, **values)
            return self.back_url(), self.tell_asked(request)
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
