"""Store status, Force Update and build status, as forms."""

from typing import Any, NamedTuple

from builds import selectors as build_selectors
from builds.errors import InvalidInput, NotAllowedNow
from builds.models import Build, StoreStatus
from deployments.forms import BuildStatusForm, ForceUpdateForm, StoreStatusForm
from deployments.policy import transitions
from deployments.services import approvals, build_status, force_update
from deployments.views.codepush_pages import BuildFormPage


class StoreChoice(NamedTuple):
    """A store status that the build may be given, and what that means."""

    value: str
    name: str
    sentences: list[str]


def list_store_choices(build: Build, store_live: Build | None, forced_count: int) -> list[StoreChoice]:
    """`store_live`: the build that is Live where this one would be; `forced_count`: builds there with Force Update."""
    live = ["Users can download this version now."]
    approved = ["The store accepted it, but it is not the version users get."]
    none = ["The store has not accepted it, or no longer has it."]
    if store_live is not None and store_live.pk != build.pk:
        live.append(f"{store_live.store_version} #{store_live.pk} becomes Approved.")
    if build.is_force_updated:
        live.append("Force Update of this build is lifted.")
    if build.store_status == StoreStatus.LIVE:
        leaving = ["No build is Live in the store then."]
        if forced_count:
            leaving = ["No build is Live in the store then: devices of builds with Force Update have nowhere to go."]
        approved, none = approved + leaving, none + leaving
    sentences = {StoreStatus.LIVE: live, StoreStatus.APPROVED: approved, StoreStatus.NONE: none}
    return [StoreChoice(status.value, str(status.label), told) for status, told in sentences.items()]


class UpdateStoreStatus(BuildFormPage):
    form_class = StoreStatusForm
    template_name = "deployments/store_status.html"

    def require_possible(self) -> None:
        build_status.require_may_be_in_store(self.build)

    def initial(self) -> dict[str, Any]:
        return {"store_status": self.build.store_status}

    def describe(self) -> dict[str, Any]:
        store_live = build_selectors.find_store_live_build(self.build)
        forced_count = build_selectors.count_forced_builds(self.build)
        return {**super().describe(), "choices": list_store_choices(self.build, store_live, forced_count)}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        build = build_status.set_store_status(self.build.pk, actor=self.actor, **values)
        return self.back_url(), f"Store status of {build} is {StoreStatus(build.store_status).label}."


class ForceUpdate(BuildFormPage):
    """Applies it, or lifts it where it is applied."""

    form_class = ForceUpdateForm
    template_name = "deployments/force_update.html"

    def load(self, **address: Any) -> None:
        super().load(**address)
        # Lifting never waits.
        self.asks = self.always_asks = not self.build.is_force_updated

    def require_possible(self) -> None:
        store_live = build_selectors.find_store_live_build(self.build)
        obstacle = force_update.find_force_update_obstacle(self.build, store_live)
        if obstacle and not self.build.is_force_updated:
            raise NotAllowedNow(obstacle)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "store_live": build_selectors.find_store_live_build(self.build)}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        # What the button said, not what the state is by now: somebody else may have pressed it meanwhile.
        if values["intent"] == ForceUpdateForm.LIFT:
            force_update.lift_force_update(self.build.pk, actor=self.actor, reason=values["reason"])
            return self.back_url(), f"Force Update is lifted. Devices on {self.build} get CodePushes again."
        if values["confirmation"] != self.build.store_version:
            raise InvalidInput(
                f"You typed {values['confirmation']!r}; type {self.build.store_version} to confirm.",
                field="confirmation",
            )
        if self.needs_second_person:
            request = approvals.ask_for_force_update(self.build.pk, actor=self.actor, reason=values["reason"])
            return self.back_url(), self.tell_asked(request)
        force_update.apply_force_update(self.build.pk, actor=self.actor, reason=values["reason"])
        return self.back_url(), f"Force Update is applied. Devices on {self.build} are sent to the store."


class UpdateBuildStatus(BuildFormPage):
    """For builds that were registered before they were compiled."""

    form_class = BuildStatusForm
    template_name = "deployments/build_status.html"

    def _next_statuses(self) -> list[Build.Status]:
        allowed = transitions.BUILD_STATUS[self.build.status]
        return [status for status in Build.Status if status in allowed]

    def require_possible(self) -> None:
        if not self._next_statuses():
            raise NotAllowedNow(f"{self.build} has finished as {self.build.get_status_display().lower()} and stays so.")

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "next_statuses": self._next_statuses()}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        build = build_status.set_build_status(self.build.pk, actor=self.actor, **values)
        return self.back_url(), f"{build} is {build.get_status_display().lower()}."
