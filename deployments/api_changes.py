"""Changes that need a second person, over the release API: asked for, listed, approved, refused, withdrawn."""

from ninja import Router

from builds.access import get_build_by_id
from builds.models import Role
from deployments import selectors
from deployments.api_change_schemas import (
    AskToEditIn,
    AskToPromoteIn,
    ChangeRequestOut,
    ChangeRequestPage,
    ChangeStatusName,
    WhyIn,
)
from deployments.api_schemas import ReasonIn
from deployments.models import ChangeRequest
from deployments.services import approvals
from deployments.views.access import get_change_request_by_id, get_codepush_by_id
from release_api.operations import ApiRequest, read, write
from release_api.schemas import Limit, ObjectId, Offset, cut

router = Router(tags=["Change requests"])


@read(router, "/builds/{build_id}/change-requests", answer=ChangeRequestPage)
def list_change_requests(
    request: ApiRequest,
    build_id: ObjectId,
    status: ChangeStatusName | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> ChangeRequestPage:
    """What somebody asked a second person for, newest first."""
    _, build = get_build_by_id(request.auth, build_id)
    found = selectors.list_change_requests(build)
    rows, count = cut(found.filter(status=status) if status else found, limit, offset)
    return ChangeRequestPage(items=[ChangeRequestOut.of(row) for row in rows], count=count)


@write(router, "POST", "/builds/{build_id}/force-update-request", answer=ChangeRequestOut, status=201)
def ask_for_force_update(request: ApiRequest, build_id: ObjectId, values: WhyIn) -> ChangeRequestOut:
    """Force Update waits for a second person. Only where the project wants one; otherwise it is applied directly."""
    _, build = get_build_by_id(request.auth, build_id, role=Role.RELEASE_MANAGER)
    return _describe(approvals.ask_for_force_update(build.pk, actor=request.auth, reason=values.reason))


@write(router, "POST", "/codepushes/{deployment_id}/promote-request", answer=ChangeRequestOut, status=201)
def ask_to_promote(request: ApiRequest, deployment_id: str, values: AskToPromoteIn) -> ChangeRequestOut:
    """Promoting waits for a second person. Only where the project wants one; otherwise it is done directly."""
    _, codepush = get_codepush_by_id(request.auth, deployment_id, role=Role.RELEASE_MANAGER)
    return _describe(approvals.ask_to_promote(codepush.pk, actor=request.auth, **values.model_dump()))


@write(router, "POST", "/codepushes/{deployment_id}/edit-request", answer=ChangeRequestOut, status=201)
def ask_to_edit(request: ApiRequest, deployment_id: str, values: AskToEditIn) -> ChangeRequestOut:
    """An edit that gives it to more devices, or forces it on them, waits for a second person. Others do not wait."""
    _, codepush = get_codepush_by_id(request.auth, deployment_id, role=Role.RELEASE_MANAGER)
    return _describe(approvals.ask_to_edit(codepush.pk, actor=request.auth, **values.model_dump()))


@read(router, "/change-requests/{request_id}", answer=ChangeRequestOut)
def get_change_request(request: ApiRequest, request_id: ObjectId) -> ChangeRequestOut:
    return ChangeRequestOut.of(get_change_request_by_id(request.auth, request_id))


@write(router, "POST", "/change-requests/{request_id}/approve", answer=ChangeRequestOut)
def approve_change(request: ApiRequest, request_id: ObjectId) -> ChangeRequestOut:
    """The change is made. Never by who asked for it. What does not fit any more ends as outdated, with 409."""
    return _describe(approvals.approve(_get(request, request_id).pk, actor=request.auth))


@write(router, "POST", "/change-requests/{request_id}/refuse", answer=ChangeRequestOut)
def refuse_change(request: ApiRequest, request_id: ObjectId, values: WhyIn) -> ChangeRequestOut:
    """The change is not made. Who asked for it withdraws it instead."""
    return _describe(approvals.refuse(_get(request, request_id).pk, actor=request.auth, reason=values.reason))


@write(router, "POST", "/change-requests/{request_id}/withdraw", answer=ChangeRequestOut)
def withdraw_change(request: ApiRequest, request_id: ObjectId, values: ReasonIn = ReasonIn()) -> ChangeRequestOut:
    """The change is not made. Only who asked for it can."""
    return _describe(approvals.withdraw(_get(request, request_id).pk, actor=request.auth, reason=values.reason))


def _get(request: ApiRequest, request_id: int) -> ChangeRequest:
    return get_change_request_by_id(request.auth, request_id, role=Role.RELEASE_MANAGER)


def _describe(change_request: ChangeRequest) -> ChangeRequestOut:
    """A request as a service left it. One query."""
    return ChangeRequestOut.of(selectors.list_change_requests(change_request.build).get(pk=change_request.pk))
