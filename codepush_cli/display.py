"""What people see: progress on standard error, results on standard output. With --json the results are the answers."""

import json
import sys
from typing import Any

_BAR = 24


class Progress:
    """One line that is drawn over itself in a terminal; in a log one line for each new stage."""

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._is_quiet = is_quiet
        self._is_terminal = sys.stderr.isatty()
        self._last = ""

    def show(self, stage: str, percent: int) -> None:
        if self._is_quiet:
            return
        if self._is_terminal:
            filled = _BAR * percent // 100
            print(f"\r\033[K{stage:<12} {'█' * filled}{'░' * (_BAR - filled)} {percent:>3}%", end="", file=sys.stderr)
            sys.stderr.flush()
        elif stage != self._last:
            print(f"{stage}…", file=sys.stderr)
        self._last = stage

    def end(self) -> None:
        if self._last and self._is_terminal:
            print("\r\033[K", end="", file=sys.stderr)
        self._last = ""


def show_json(answer: Any) -> None:
    print(json.dumps(answer, indent=2, ensure_ascii=False))


def describe(codepush: dict[str, Any]) -> str:
    """One sentence about a CodePush, such as "v3 is Live (dpl_…, rollout 25%, mandatory)."."""
    name = codepush["label"] or codepush["deployment_id"]
    more = [codepush["deployment_id"]] if codepush["label"] else []
    if codepush["status"] == "success":
        more.append(f"rollout {codepush['rollout_percent']}%")
    if codepush["is_mandatory"]:
        more.append("mandatory")
    if codepush["references"]:
        more.append(f"same bundle as {codepush['references']}")
    told = f" ({', '.join(more)})" if more else ""
    return f"{name} is {describe_state(codepush)}{told}."


def show_codepush(codepush: dict[str, Any], *, is_json: bool) -> None:
    """One that waits says what it waits for."""
    if is_json:
        return show_json(codepush)
    print(describe(codepush))
    if codepush["status"] == "waiting":
        print(f"Devices get it once somebody else approves it: codepush approve {codepush['deployment_id']}")
    return None


def describe_request(request: dict[str, Any]) -> str:
    """One sentence about a change request, such as "Request 12 (Promote v1, dpl_…) waits for a second person, …"."""
    about = ", ".join(filter(None, [request["change"], request["deployment_id"]]))
    if request["status"] == "waiting":
        until = request["expires_at"][:16].replace("T", " ")
        return (
            f"Request {request['id']} ({about}) waits for a second person, until {until} UTC: "
            f"codepush approve {request['id']}"
        )
    outcome = request["outcome"]
    return f"Request {request['id']} ({about}) is {request['status']}.{f' {outcome}' if outcome else ''}"


def describe_state(codepush: dict[str, Any]) -> str:
    if codepush["is_live"]:
        return "Live"
    if codepush["status"] == "success":
        return "superseded" if codepush["is_enabled"] else "disabled"
    return str(codepush["status"])


def show_table(rows: list[list[str]]) -> None:
    """The first row is the head."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
