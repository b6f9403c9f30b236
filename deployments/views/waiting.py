"""What waits for a second person, as Build Detail shows it."""

from collections.abc import Iterable
from dataclasses import dataclass

from builds.access import ProjectAccess
from builds.models import Build
from deployments.models import ChangeRequest
from deployments.policy.change_words import describe_change
from deployments.selectors import list_change_requests
from deployments.services.change import needs_second_person
from deployments.services.waiting import name_requester


@dataclass(frozen=True)
class WaitingChange:
    """`can_decide`: this person may approve or refuse it; `can_withdraw`: they asked for it."""

    request: ChangeRequest
    can_decide: bool
    can_withdraw: bool

    @property
    def words(self) -> str:
        return describe_request(self.request)

    @property
    def asked_by(self) -> str:
        return name_requester(self.request)


def list_waiting(build: Build, access: ProjectAccess, user_id: int | None) -> list[WaitingChange]:
    """Newest first. One query, and none where nothing ever waits."""
    if not needs_second_person(build, access.project):
        return []
    waiting = list_change_requests(build).filter(status=ChangeRequest.Status.WAITING)
    return [show_request(request, access, user_id) for request in waiting]


def show_request(request: ChangeRequest, access: ProjectAccess, user_id: int | None) -> WaitingChange:
    is_own = request.requested_by_id == user_id
    return WaitingChange(request, access.can_release and not is_own, access.can_release and is_own)


def by_codepush(waiting: Iterable[WaitingChange]) -> dict[int | None, WaitingChange]:
    return {change.request.codepush_id: change for change in waiting}


def describe_request(request: ChangeRequest) -> str:
    """No query, with the CodePush joined in."""
    label = request.codepush.label if request.codepush else ""
    return describe_change(request.kind, label, request.parameters, request.before)
