"""Approve, refuse and withdraw what waits for a second person, as forms."""

from typing import Any

from django.urls import reverse

from builds import selectors as build_selectors
from builds.errors import NotAllowedNow
from builds.forms import ServiceForm
from builds.models import Role
from deployments.forms import RefuseForm, WithdrawForm
from deployments.models import ChangeRequest
from deployments.services import approvals
from deployments.views.access import get_change_request
from deployments.views.addresses import build_url, card_url
from deployments.views.codepush_pages import BuildFormPage
from deployments.views.previews import preview_change
from deployments.views.waiting import describe_request, show_request


class ChangeRequestPage(BuildFormPage):
    """A form about a change that waits, for release managers."""

    change: ChangeRequest

    def load(self, **address: Any) -> None:
        self.access, self.build, self.change = get_change_request(
            self.request.user, role=Role.RELEASE_MANAGER, **address
        )

    @property
    def is_own(self) -> bool:
        return self.change.requested_by_id == self.actor.pk

    def back_url(self) -> str:
        codepush = self.change.codepush
        return card_url(self.build, codepush.deployment_id) if codepush else build_url(self.build)

    def sibling_url(self, name: str) -> str:
        return reverse(name, args=[self.access.project.slug, self.build.pk, self.change.pk])

    def require_possible(self) -> None:
        if not self.change.is_waiting:
            raise NotAllowedNow(f"This request has ended already. {self.change.outcome}")

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "change": show_request(self.change, self.access, self.actor.pk)}


class ApproveChange(ChangeRequestPage):
    """What will happen is computed now, and not when it was asked for."""

    form_class = ServiceForm
    template_name = "deployments/change_approve.html"

    def require_possible(self) -> None:
        super().require_possible()
        if self.is_own:
            raise NotAllowedNow("You asked for this yourself. Somebody else must approve it.")

    def next_step(self) -> tuple[str, str] | None:
        """Withdrawing their own."""
        can_withdraw = self.is_own and self.change.is_waiting
        return (self.sibling_url("change_withdraw"), "Withdraw it") if can_withdraw else None

    def describe(self) -> dict[str, Any]:
        store_live = build_selectors.find_store_live_build(self.build)
        obstacle = approvals.find_obstacle(self.change)
        foreseen = None if obstacle else preview_change(self.change, self.metrics, store_live)
        return {**super().describe(), "outdated": obstacle, "foreseen": foreseen}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        words = describe_request(self.change)
        approvals.approve(self.change.pk, actor=self.actor)
        return self.back_url(), f"Approved: {words}. It is done."


class RefuseChange(ChangeRequestPage):
    form_class = RefuseForm
    template_name = "deployments/change_refuse.html"

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        approvals.refuse(self.change.pk, actor=self.actor, **values)
        return self.back_url(), f"Refused: {describe_request(self.change)}. Nothing has changed for devices."


class WithdrawChange(ChangeRequestPage):
    form_class = WithdrawForm
    template_name = "deployments/change_withdraw.html"

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        approvals.withdraw(self.change.pk, actor=self.actor, **values)
        return self.back_url(), f"Withdrawn: {describe_request(self.change)}. Nothing has changed for devices."
