"""What each command does. Values come from argparse, and go to the server as they are: rules are the server's."""

import tempfile
import time
from argparse import Namespace
from typing import Any, BinaryIO

from codepush_cli import display
from codepush_cli.approval import write_or_ask
from codepush_cli.bundle import is_archive, write_archive
from codepush_cli.display import Progress
from codepush_cli.lookup import find_build_id, find_codepush
from codepush_cli.outcome import TimedOut, UpdateFailed, UsageError
from codepush_cli.parts import WORTH_PARTS_BYTES, upload_in_parts
from codepush_cli.server import Server, Upload

_Json = dict[str, Any]
_STEPS = {"queued": "Queued", "checking": "Checking", "storing": "Storing", "diffing": "Making diffs"}
_POLL_SECONDS = 0.25


def release(server: Server, given: Namespace) -> None:
    build_id = find_build_id(server, given)
    names = {"platform": "platform", "target": "build_target", "expected_live": "expected_live", "reason": "reason"}
    fields = {
        "description": given.description,
        "rollout_percent": str(given.rollout),
        "is_mandatory": str(given.mandatory).lower(),
        "allows_identical": str(given.allow_identical).lower(),
        **_pick(given, **names),
    }
    progress = Progress(is_quiet=given.json)
    with tempfile.TemporaryFile() as packed:
        if is_archive(given.path):
            file = given.path.open("rb")
        else:
            progress.show("Packing", 0)
            write_archive(given.path, packed)
            file = packed
        with file:
            codepush = _send(server, build_id, file, fields, given.idempotency_key, progress)
    progress.end()
    _finish(server, codepush, given)


def _send(
    server: Server, build_id: int, file: BinaryIO, fields: dict[str, str], key: str | None, progress: Progress
) -> _Json:
    """The release of this file: a large one in parts, where the server takes them."""

    def show(sent: int, size: int) -> None:
        progress.show("Uploading", sent * 100 // size)

    path = f"/builds/{build_id}/codepushes"
    if file.seek(0, 2) >= WORTH_PARTS_BYTES:
        upload_id = upload_in_parts(server, build_id, file, key, show)
        if upload_id is not None:
            return server.upload(path, Upload(fields | {"upload": upload_id}), key)
    return server.upload(path, Upload(fields, file, show), key)


def status(server: Server, given: Namespace) -> None:
    _finish(server, find_codepush(server, given), given)


def _finish(server: Server, codepush: _Json, given: Namespace) -> None:
    """Tell how it stands; with --watch, once that is final."""
    if given.watch:
        codepush = _watch(server, codepush, given)
    display.show_codepush(codepush, is_json=given.json)
    if codepush["status"] in ("failed", "canceled"):
        raise UpdateFailed(codepush["failure_reason"] or f"{codepush['deployment_id']} was canceled.")


def _watch(server: Server, codepush: _Json, given: Namespace) -> _Json:
    progress = Progress(is_quiet=given.json)
    deadline = time.monotonic() + given.timeout
    try:
        while codepush["status"] in ("pending", "processing"):
            progress.show(_STEPS.get(codepush["step"], "Publishing"), codepush["progress_percent"])
            if time.monotonic() > deadline:
                raise TimedOut(
                    f"{codepush['deployment_id']} is {codepush['status']} after {given.timeout:g} s. It goes on by "
                    f"itself: codepush status {codepush['deployment_id']} --watch"
                )
            time.sleep(_POLL_SECONDS)
            codepush = server.get(f"/codepushes/{codepush['deployment_id']}")
    finally:
        progress.end()
    return codepush


def promote(server: Server, given: Namespace) -> None:
    codepush = find_codepush(server, given)
    body = _pick(given, reason="reason", rollout="rollout_percent", expected_live="expected_live")
    write_or_ask(server, given, "POST", "promote", codepush["deployment_id"], body)


def rollback(server: Server, given: Namespace) -> None:
    codepush = find_codepush(server, given)
    names = {"to": "to", "reason": "reason", "rollout": "rollout_percent", "mandatory": "is_mandatory"}
    body = _pick(given, **names, expected_live="expected_live")
    if given.deployment is None:
        # Whoever asks to roll back from the Live one means the one that was found a moment ago.
        body.setdefault("expected_live", codepush["label"])
    answer = server.write("POST", f"/codepushes/{codepush['deployment_id']}/rollback", body)
    display.show_codepush(answer, is_json=given.json)


def edit(server: Server, given: Namespace) -> None:
    names = {"description": "description", "enabled": "is_enabled", "mandatory": "is_mandatory"}
    body = _pick(given, **names, rollout="rollout_percent", expected_live="expected_live")
    if not body:
        raise UsageError("Nothing to change. Use --description, --enable, --disable, --mandatory or --rollout.")
    codepush = find_codepush(server, given)
    write_or_ask(server, given, "PATCH", "edit", codepush["deployment_id"], body)


def history(server: Server, given: Namespace) -> None:
    answer = server.get(f"/builds/{find_build_id(server, given)}/codepushes", limit=given.limit)
    if given.json:
        return display.show_json(answer)
    rows = [["Label", "State", "Rollout", "Created", "By", "Deployment ID", "Description"]]
    for each in answer["items"]:
        state, created = display.describe_state(each), each["created_at"][:16].replace("T", " ")
        description = each["description"].split("\n")[0][:60]
        cells = [each["label"] or "–", state, f"{each['rollout_percent']}%", created, each["created_by"] or "–"]
        rows.append([*cells, each["deployment_id"], description])
    display.show_table(rows)
    return None


def metrics(server: Server, given: Namespace) -> None:
    codepush = find_codepush(server, given)
    numbers = server.get(f"/codepushes/{codepush['deployment_id']}/metrics")
    if given.json:
        return display.show_json(numbers)
    share = "–" if numbers["active_percent"] is None else f"{numbers['active_percent']:.1f}%"
    print(display.describe(codepush))
    display.show_table(
        [
            ["Active", "Downloads", "Installs", "Device rollbacks", "As of"],
            [
                f"{share} ({numbers['active_devices']:,} of {numbers['total_devices']:,})",
                *(f"{numbers[name]:,}" for name in ("downloads", "installs", "rollbacks")),
                numbers["as_of"][:19].replace("T", " "),
            ],
        ]
    )
    return None


def explain(server: Server, given: Namespace) -> None:
    names = {"client_id": "client_unique_id", "app_version": "app_version", "package_hash": "package_hash"}
    device = _pick(given, **names, device_label="label")
    answer = server.get(f"/builds/{find_build_id(server, given)}/explain", **device)
    if given.json:
        return display.show_json(answer)
    print(answer["sentence"])
    marks = {"passed": "✓", "stopped": "✗", "not_reached": "·"}
    for step in answer["steps"]:
        print(f"  {marks[step['outcome']]} {step['title']}", step["detail"], sep=": " if step["detail"] else "")
    return None


def _pick(given: Namespace, **names: str) -> _Json:
    """{name of the API: value} of the options that were given. `names`: {option: name of the API}."""
    return {name: getattr(given, option) for option, name in names.items() if getattr(given, option) is not None}
