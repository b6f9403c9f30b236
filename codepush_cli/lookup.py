"""Which build and which CodePush the options mean."""

from argparse import Namespace
from collections.abc import Callable
from typing import Any

from codepush_cli.outcome import Refused, UsageError
from codepush_cli.server import Server

_Json = dict[str, Any]
_PAGE = 100


def find_build_id(server: Server, given: Namespace) -> int:
    """The build that --build names, or the only successful one that fits the other options."""
    if given.build is not None:
        return int(given.build)
    if given.project is None:
        raise UsageError("Which build? Use --build ID, or --project with --platform, --target and --store-version.")
    wanted = {"platform": given.platform, "build_target": given.target, "store_version": given.store_version}
    found = server.get(f"/projects/{given.project}/builds", **wanted, status="success", limit=_PAGE)["items"]
    if len(found) == 1:
        return int(found[0]["id"])
    if not found:
        raise Refused(f"{given.project} has no successful build that fits. See its builds at the dashboard.")
    names = ", ".join(f"#{each['id']} ({each['platform']} {each['store_version']})" for each in found[:5])
    raise Refused(f"{len(found)} builds of {given.project} fit: {names}. Name one with --build.")


def find_codepush(server: Server, given: Namespace) -> _Json:
    """The one with this deployment ID; without one, that of the build with --label, or else its Live one."""
    if given.deployment is not None:
        return server.get(f"/codepushes/{given.deployment}")
    build_id = find_build_id(server, given)

    def is_meant(codepush: _Json) -> bool:
        return bool(codepush["label"] == given.label if given.label else codepush["is_live"])

    found = _find_in_history(server, build_id, is_meant)
    if found is None:
        raise Refused(f"Build #{build_id} has no CodePush {given.label or 'that is Live'}. See: codepush history")
    return found


def _find_in_history(server: Server, build_id: int, is_meant: Callable[[_Json], bool]) -> _Json | None:
    offset, count = 0, 1
    while offset < count:
        page = server.get(f"/builds/{build_id}/codepushes", limit=_PAGE, offset=offset)
        for codepush in page["items"]:
            if is_meant(codepush):
                return dict(codepush)
        offset, count = offset + _PAGE, page["count"]
    return None
