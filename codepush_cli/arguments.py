"""Which commands there are, and their options."""

from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from codepush_cli import approval, commands


def make_parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="codepush",
        description="Release over-the-air updates. Reads CODEPUSH_URL and CODEPUSH_TOKEN.",
        epilog="Exit codes: 0 done, 1 refused, 2 wrong usage, 3 server unreachable, 4 the update failed, 5 timed out.",
    )
    kinds = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_release(kinds)
    _add_republish(kinds)
    _add_edit(kinds)
    _add_approval(kinds)
    _add_reads(kinds)
    return parser


def _add_release(kinds: Any) -> None:
    command = _add(kinds, "release", "Upload a bundle: a ZIP, or a folder, which is zipped with its name on top.")
    command.add_argument("path", type=Path, metavar="PATH")
    _add_build(command)
    command.add_argument("--description", default="", help="What changed, for your team.")
    command.add_argument("--rollout", type=int, default=100, metavar="PERCENT", help="Share of devices (default 100).")
    command.add_argument("--mandatory", action="store_true", help="Install during the splash screen.")
    command.add_argument("--allow-identical", action="store_true", help="Even if identical to the Live bundle.")
    command.add_argument("--reason", help="Why: for the audit log, and for whoever must approve it.")
    command.add_argument("--idempotency-key", help="Release once, however often the job runs with this key in a day.")
    _add_expected(command)
    _add_watch(command)


def _add_republish(kinds: Any) -> None:
    promote = _add(kinds, "promote", "Make the bundle of an earlier success Live again, as a new update.")
    _add_codepush(promote)
    _add_republishing(promote)
    _add_ask(promote)

    rollback = _add(kinds, "rollback", "Go back from the Live update to an earlier one, as a new update.")
    _add_codepush(rollback)
    rollback.add_argument("--to", required=True, metavar="LABEL", help="Where to go back to, such as v2.")
    rollback.add_argument("--mandatory", action=BooleanOptionalAction, help="Default: as the one you go back to.")
    _add_republishing(rollback)


def _add_edit(kinds: Any) -> None:
    command = _add(kinds, "edit", "Change a success, for devices that have not received it yet.")
    _add_codepush(command)
    command.add_argument("--description")
    command.add_argument("--enable", dest="enabled", action="store_const", const=True)
    command.add_argument("--disable", dest="enabled", action="store_const", const=False, help="Offer it to nobody.")
    command.add_argument("--mandatory", action=BooleanOptionalAction)
    command.add_argument("--rollout", type=int, metavar="PERCENT")
    _add_expected(command)
    _add_ask(command)


def _add_approval(kinds: Any) -> None:
    requests = _add(kinds, "requests", "What waits for a second person on a build, newest first.", approval.requests)
    _add_build(requests)
    requests.add_argument("--all", action="store_true", help="Also those that have ended.")

    approve = _add(kinds, "approve", "Approve what somebody else asked for: it is done.", approval.approve)
    _add_request(approve)

    refuse = _add(kinds, "refuse", "Refuse what somebody else asked for: it is not done.", approval.refuse, ["reject"])
    _add_request(refuse)
    refuse.add_argument("--reason", required=True, help="Why, for whoever asked.")

    withdraw = _add(kinds, "withdraw", "Take back what you asked for.", approval.withdraw)
    _add_request(withdraw)
    withdraw.add_argument("--reason", help="Kept in the audit log.")


def _add_reads(kinds: Any) -> None:
    status = _add(kinds, "status", "How an update stands.")
    _add_codepush(status)
    _add_watch(status)

    history = _add(kinds, "history", "The updates of a build, newest first.")
    _add_build(history)
    history.add_argument("--limit", type=int, default=20, help="How many at most, up to 100 (default 20).")

    _add_codepush(_add(kinds, "metrics", "The numbers of an update."))

    explain = _add(kinds, "explain", "What a device is offered, and why.")
    _add_build(explain)
    explain.add_argument("--client-id", help="Its client unique ID.")
    explain.add_argument("--app-version", help="Of its binary (default: that of the build).")
    explain.add_argument("--label", dest="device_label", help="What it runs.")
    explain.add_argument("--package-hash", help="Of what it runs.")


def _add(
    kinds: Any, name: str, help_text: str, run: Callable[..., None] | None = None, aliases: Sequence[str] = ()
) -> ArgumentParser:
    command: ArgumentParser = kinds.add_parser(name, help=help_text, description=help_text, aliases=aliases)
    command.add_argument("--json", action="store_true", help="Print the answer of the server.")
    command.add_argument("--url", help="The server, instead of CODEPUSH_URL.")
    command.set_defaults(run=run or getattr(commands, name))
    return command


def _add_build(command: ArgumentParser) -> None:
    command.add_argument("--build", type=int, metavar="ID", help="The build; or describe it:")
    command.add_argument("--project", metavar="SLUG")
    command.add_argument("--platform", choices=["ios", "android", "huawei"])
    command.add_argument("--target", choices=["production", "staging"])
    command.add_argument("--store-version", metavar="VERSION")


def _add_codepush(command: ArgumentParser) -> None:
    command.add_argument("deployment", nargs="?", metavar="DEPLOYMENT_ID", help="dpl_…; or name its build:")
    _add_build(command)
    command.add_argument("--label", help="Of the build: this one instead of the Live one.")


def _add_request(command: ArgumentParser) -> None:
    named = "Its number, or the deployment ID that it is about; or name its build:"
    command.add_argument("request", nargs="?", metavar="REQUEST", help=named)
    _add_build(command)
    command.add_argument("--label", help="Of the build: what is asked about this one.")


def _add_ask(command: ArgumentParser) -> None:
    command.add_argument("--ask", metavar="WHY", help="Ask a second person, where the project wants one for this.")


def _add_republishing(command: ArgumentParser) -> None:
    command.add_argument("--reason", help="Kept in the audit log.")
    command.add_argument("--rollout", type=int, metavar="PERCENT", help="Share of devices (default 100).")
    _add_expected(command)


def _add_expected(command: ArgumentParser) -> None:
    command.add_argument("--expected-live", metavar="LABEL", help="Do nothing unless this one is Live still.")


def _add_watch(command: ArgumentParser) -> None:
    command.add_argument("--watch", action="store_true", help="Wait until it is Live or failed; the exit code tells.")
    command.add_argument("--timeout", type=float, default=600, metavar="SECONDS", help="For --watch (default 600).")
