"""Roll back and promote: forms that say beforehand which devices will do what."""

from typing import Any

from builds.errors import NotAllowedNow
from deployments import selectors
from deployments.forms import PromoteForm, RollbackForm
from deployments.models import CodePush
from deployments.policy.previews import Preview, preview_copy, warn_unsigned
from deployments.services import approvals, checks, republishing
from deployments.services.bundle_checks import is_signed_with
from deployments.views.cards import find_rollback_obstacle
from deployments.views.codepush_pages import CodePushFormPage
from deployments.views.previews import Source, clamp_rollout, load_fleet, load_sources


class CopyFormPage(CodePushFormPage):
    """A form that publishes an earlier bundle again."""

    def preview(self, source: CodePush, *, is_mandatory: bool) -> Preview:
        """What publishing a copy of this success would do. Two queries."""
        fleet = load_fleet(self.build, self.metrics)
        update = fleet.get(source.label_number or 0)
        costs = selectors.measure_costs(update.bundle_id)
        rollout_percent = clamp_rollout(self.values["rollout_percent"])
        return preview_copy(fleet, update, costs, is_mandatory=is_mandatory, rollout_percent=rollout_percent)


class RollBack(CopyFormPage):
    form_class = RollbackForm
    template_name = "deployments/codepush_rollback.html"
    sources: list[Source]

    def require_possible(self) -> None:
        checks.require_success(self.codepush, to_be="rolled back")
        checks.require_is_live(self.codepush, selectors.find_live_codepush(self.build))
        if obstacle := find_rollback_obstacle(self.codepush):
            raise NotAllowedNow(obstacle)

    def next_step(self) -> tuple[str, str] | None:
        """Rolling back what is Live by now."""
        live = selectors.find_live_codepush(self.build)
        if live is None or live.pk == self.codepush.pk or find_rollback_obstacle(live):
            return None
        return self.action_url("codepush_rollback", live), f"Review a rollback of {live}"

    def initial(self) -> dict[str, Any]:
        """The last stable update, or else the newest that is enabled; mandatory if that was."""
        self.sources = load_sources(self.build, self.codepush, self.metrics)
        by_merit = sorted(self.sources, key=lambda s: (s.is_last_stable, s.codepush.is_enabled), reverse=True)
        chosen = by_merit[0].codepush
        return {"to": chosen.label, "is_mandatory": chosen.is_mandatory}

    def describe(self) -> dict[str, Any]:
        chosen = next((s for s in self.sources if s.codepush.label == self.values["to"]), self.sources[0]).codepush
        preview = self.preview(chosen, is_mandatory=self.values["is_mandatory"])
        # By constraint a success has a bundle.
        if chosen.bundle and not is_signed_with(chosen.bundle, self.access.project.signing_key):
            preview = warn_unsigned(preview, str(chosen))
        return {
            **super().describe(),
            "sources": self.sources,
            "chosen": chosen,
            "preview": preview,
            "submit": f"Roll back to {chosen}",
        }

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        to_label = values.pop("to")
        codepush = republishing.roll_back(self.codepush.pk, to_label=to_label, actor=self.actor, **values)
        return self.card_url(codepush), f"Rolled back to {to_label}. {codepush} is Live."


class Promote(CopyFormPage):
    form_class = PromoteForm
    template_name = "deployments/codepush_promote.html"
    asks = always_asks = True

    def require_possible(self) -> None:
        checks.require_success(self.codepush, to_be="promoted")
        checks.require_not_live(self.codepush, selectors.find_live_codepush(self.build))

    def describe(self) -> dict[str, Any]:
        preview = self.preview(self.codepush, is_mandatory=self.codepush.is_mandatory)
        submit = f"Promote {self.codepush}"
        if self.needs_second_person:
            preview, submit = self.wait_first(preview), "Ask for approval"
        return {**super().describe(), "preview": preview, "submit": submit}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        if self.needs_second_person:
            request = approvals.ask_to_promote(self.codepush.pk, actor=self.actor, **values)
            return self.back_url(), self.tell_asked(request)
        codepush = republishing.promote(self.codepush.pk, actor=self.actor, **values)
        return self.card_url(codepush), f"Promoted {self.codepush}. {codepush} is Live."
