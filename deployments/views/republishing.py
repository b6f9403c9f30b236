"""Roll back and promote, as pages that say beforehand which devices will do what."""

from dataclasses import dataclass
from typing import Any

from builds.errors import NotAllowedNow
from deployments import selectors
from deployments.forms import PromoteForm, RollbackForm
from deployments.models import CodePush
from deployments.policy.label import format_label
from deployments.services import checks, republishing
from deployments.views.cards import find_rollback_obstacle
from deployments.views.codepush_pages import CodePushFormPage
from metrics.selectors import BuildMetrics


@dataclass(frozen=True)
class Source:
    """An earlier success, and what making it Live again means for the devices of the build."""

    codepush: CodePush
    # Run its bundle now, under whatever label: they download nothing.
    same_devices: int
    other_devices: int


def _weigh_sources(codepushes: list[CodePush], metrics: BuildMetrics) -> list[Source]:
    """One query."""
    labels = selectors.map_labels_with_same_bundle(codepushes)
    same = {codepush.pk: metrics.count_active(labels[codepush.pk]) for codepush in codepushes}
    return [Source(codepush, same[codepush.pk], metrics.current_devices - same[codepush.pk]) for codepush in codepushes]


class RollBack(CodePushFormPage):
    form_class = RollbackForm
    template_name = "deployments/codepush_rollback.html"

    def require_possible(self) -> None:
        checks.require_success(self.codepush, to_be="rolled back")
        checks.require_is_live(self.codepush, selectors.find_live_codepush(self.build))
        if obstacle := find_rollback_obstacle(self.codepush):
            raise NotAllowedNow(obstacle)

    def describe(self) -> dict[str, Any]:
        shown = super().describe()
        sources = list(selectors.list_rollback_sources(self.build, self.codepush))
        preselected = next((source for source in sources if source.is_enabled), sources[0])
        return {
            **shown,
            "sources": _weigh_sources(sources, shown["metrics"]),
            "preselected": preselected.label,
            "next_label": format_label(selectors.find_next_label_number(self.build)),
        }

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        to_label = values.pop("to")
        codepush = republishing.roll_back(self.codepush.pk, to_label=to_label, actor=self.actor, **values)
        return self.card_url(codepush), f"Rolled back to {to_label}. {codepush} is Live."


class Promote(CodePushFormPage):
    form_class = PromoteForm
    template_name = "deployments/codepush_promote.html"

    def require_possible(self) -> None:
        checks.require_success(self.codepush, to_be="promoted")
        checks.require_not_live(self.codepush, selectors.find_live_codepush(self.build))

    def describe(self) -> dict[str, Any]:
        shown = super().describe()
        return {
            **shown,
            "source": _weigh_sources([self.codepush], shown["metrics"])[0],
            "next_label": format_label(selectors.find_next_label_number(self.build)),
        }

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        codepush = republishing.promote(self.codepush.pk, actor=self.actor, **values)
        return self.card_url(codepush), f"Promoted {self.codepush}. {codepush} is Live."
