"""Changes that wait for a second person: asked for, listed, approved, refused, withdrawn."""

from argparse import Namespace
from typing import Any

from codepush_cli import display
from codepush_cli.lookup import find_build_id, find_codepush
from codepush_cli.outcome import Refused, UsageError
from codepush_cli.server import Server

_Json = dict[str, Any]
_PAGE = 100


def write_or_ask(server: Server, given: Namespace, method: str, action: str, deployment_id: str, body: _Json) -> None:
    """The change is made; where it needs a second person, and --ask says why, that one is asked. Tells which.

    `action`: "promote" or "edit".
    """
    path = f"/codepushes/{deployment_id}"
    try:
        answer = server.write(method, path if action == "edit" else f"{path}/{action}", body)
    except Refused as refusal:
        if refusal.code != "approval_needed":
            raise
        if given.ask is None:
            raise Refused(f'{refusal.message} Say why: --ask "…".', refusal.code) from refusal
        _show(server.write("POST", f"{path}/{action}-request", body | {"reason": given.ask}), given)
    else:
        display.show_codepush(answer, is_json=given.json)


def requests(server: Server, given: Namespace) -> None:
    status = None if given.all else "waiting"
    answer = server.get(f"/builds/{find_build_id(server, given)}/change-requests", status=status, limit=_PAGE)
    if given.json:
        return display.show_json(answer)
    rows = [["Request", "State", "Change", "Deployment ID", "Asked by", "Until (UTC)", "Why"]]
    for each in answer["items"]:
        why, until = each["reason"].split("\n")[0][:60], each["expires_at"][:16].replace("T", " ")
        about = [each["change"], each["deployment_id"] or "–", each["requested_by"] or "–"]
        rows.append([str(each["id"]), each["status"], *about, until, why])
    display.show_table(rows)
    return None


def approve(server: Server, given: Namespace) -> None:
    _end(server, given, "approve", {})


def refuse(server: Server, given: Namespace) -> None:
    _end(server, given, "refuse", {"reason": given.reason})


def withdraw(server: Server, given: Namespace) -> None:
    _end(server, given, "withdraw", {"reason": given.reason} if given.reason else {})


def _end(server: Server, given: Namespace, how: str, body: _Json) -> None:
    _show(server.write("POST", f"/change-requests/{_find_request_id(server, given)}/{how}", body), given)


def _find_request_id(server: Server, given: Namespace) -> int:
    """The one of this number; or the one that waits about this CodePush, or on this build if it is the only one."""
    if given.request is not None and given.request.isdecimal():
        return int(given.request)
    about: str | None = None
    if given.request is not None or given.label is not None:
        given.deployment = given.request
        codepush = find_codepush(server, given)
        build_id, about = int(codepush["build_id"]), codepush["deployment_id"]
    else:
        build_id = find_build_id(server, given)
    page = server.get(f"/builds/{build_id}/change-requests", status="waiting", limit=_PAGE)
    found = [each for each in page["items"] if about in (None, each["deployment_id"])]
    if len(found) == 1:
        return int(found[0]["id"])
    if not found:
        raise Refused(f"Nothing waits for a second person there. See: codepush requests --build {build_id} --all")
    names = "; ".join(f"{each['id']} ({each['change']})" for each in found[:5])
    raise UsageError(f"{len(found)} changes wait on build #{build_id}: {names}. Name one by its number.")


def _show(request: _Json, given: Namespace) -> None:
    if given.json:
        display.show_json(request)
    else:
        print(display.describe_request(request))
