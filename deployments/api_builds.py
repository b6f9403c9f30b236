"""What changes or explains what the devices of a build get, over the release API."""

from typing import Annotated

from django.db import OperationalError
from ninja import Query, Router

from builds.access import get_build_by_id
from builds.api import describe_changed
from builds.api_schemas import BuildOut, StoreStatusIn
from builds.errors import InvalidInput
from builds.models import Role
from deployments import snapshots
from deployments.api_schemas import ExplainOut, ReasonIn
from deployments.policy.trace import trace_decision
from deployments.policy.types import UpdateQuery
from deployments.policy.version_range import find_version
from deployments.services import build_status, force_update
from release_api.operations import ApiRequest, read, write
from release_api.schemas import VERSION, ObjectId

router = Router(tags=["Builds"])
_Sent = Annotated[str, Query(pattern=r"^[^\x00]*$", max_length=256, description="As the device sends it.")]
_Version = Annotated[str, Query(pattern=VERSION, max_length=64, description="Without it: that of the build.")]


@write(router, "POST", "/builds/{build_id}/store-status", answer=BuildOut)
def set_store_status(request: ApiRequest, build_id: ObjectId, values: StoreStatusIn) -> BuildOut:
    """Becoming live demotes the build that was live for the same project, platform and target to approved."""
    _, build = get_build_by_id(request.auth, build_id, role=Role.RELEASE_MANAGER)
    changed = build_status.set_store_status(build.pk, actor=request.auth, store_status=values.store_status)
    return describe_changed(changed)


@write(router, "POST", "/builds/{build_id}/force-update", answer=BuildOut)
def apply_force_update(request: ApiRequest, build_id: ObjectId, values: ReasonIn = ReasonIn()) -> BuildOut:
    """Its devices are sent to the store and get no CodePush. Only for a build that was live and has been replaced."""
    _, build = get_build_by_id(request.auth, build_id, role=Role.RELEASE_MANAGER)
    return describe_changed(force_update.apply_force_update(build.pk, actor=request.auth, reason=values.reason))


@write(router, "DELETE", "/builds/{build_id}/force-update", answer=BuildOut)
def lift_force_update(request: ApiRequest, build_id: ObjectId) -> BuildOut:
    """Its devices get CodePushes again."""
    _, build = get_build_by_id(request.auth, build_id, role=Role.RELEASE_MANAGER)
    return describe_changed(force_update.lift_force_update(build.pk, actor=request.auth))


@read(router, "/builds/{build_id}/explain", answer=ExplainOut)
def explain(
    request: ApiRequest,
    build_id: ObjectId,
    client_unique_id: _Sent = "",
    app_version: _Version | None = None,
    label: _Sent = "",
    package_hash: _Sent = "",
) -> ExplainOut:
    """What such a device is offered now, and why, step by step."""
    _, build = get_build_by_id(request.auth, build_id)
    sent_version = app_version or build.store_version
    version = find_version(sent_version)
    if version is None:
        raise InvalidInput(f"{app_version!r} is not a version; use numbers such as 3.0.0.", field="app_version")
    snapshot = snapshots.store.get(build.deployment_key)
    if snapshot is None:
        # The build was read a moment ago, so it is the memory of unknown keys that is behind: for a second at most.
        raise OperationalError("the snapshot of a new build is not there yet")
    query = UpdateQuery(build.deployment_key, sent_version, version, package_hash, label, client_unique_id)
    return ExplainOut.of(trace_decision(snapshot, query))
