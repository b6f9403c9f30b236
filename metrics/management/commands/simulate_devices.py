import itertools
import secrets
import signal
import threading
from argparse import ArgumentParser, BooleanOptionalAction
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from deployments.demo import FLEET_BUILDS
from metrics.simulation.device import Luck
from metrics.simulation.fleet import Fleet, StateUnreadable, play
from metrics.simulation.server import ProtocolViolation, Server, Unreachable

# Enough to ask, download, install, and resend.
_STARTS = 5
# Above this many devices each file is transferred once, unless told otherwise: the server's disk is not the point.
_DEVICES_WITH_OWN_DOWNLOADS = 500
_DEMO_DEVICES = 60
_DEMO_FAILURE_RATE = 0.06
# The demo's first rounds are brisk, so that its charts are not empty for long.
_DEMO_ROUNDS_SECONDS: tuple[float, ...] = (5.0, 10.0, 30.0)
_DEMO_CALM_SECONDS = 120.0


class Command(BaseCommand):
    help = (
        "Play devices over HTTP, with the protocol of the real client. Prints what the server should have counted. "
        "Clocks of devices are not played: the protocol sends no time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--server", required=True, metavar="URL", help="Such as http://127.0.0.1:8000.")
        add("--key", help="Deployment key of the build that the devices have installed.")
        add("--app-version", help="The build's store version; asked from the server when not given.")
        add("--devices", type=int, default=50, metavar="N")
        add("--seconds", type=float, default=10.0, metavar="S", help="How long it should take; 0: as fast as it goes.")
        add("--starts", type=int, default=_STARTS, metavar="N", help="How often each device starts its app.")
        add("--failure-rate", type=float, default=0.0, metavar="F", help="0..1: updates that crash.")
        add("--download-rate", type=float, default=1.0, metavar="F", help="0..1: offers that are downloaded at once.")
        add("--duplicate-rate", type=float, default=0.0, metavar="F", help="0..1: reports that arrive twice.")
        add("--move-to", metavar="KEY", help="Half-way, devices get the binary of the build with this key.")
        add("--move-to-version", metavar="VERSION", help="That build's store version; asked when not given.")
        add("--move-share", type=float, default=0.5, metavar="F", help="0..1: devices that get it.")
        add("--jobs", type=int, default=8, metavar="N", help="Devices that talk at the same time.")
        add(
            "--share-downloads",
            action=BooleanOptionalAction,
            help="Transfer each file once, for all devices; each still reports its download. "
            f"What is done above {_DEVICES_WITH_OWN_DOWNLOADS} devices.",
        )
        add("--seed", help="The same seed gives the same devices with the same luck.")
        add("--state", type=Path, metavar="FILE", help="Devices continue where they were.")
        add("--demo", action="store_true", help="A small fleet on the demo builds, until stopped.")

    def handle(self, **options: Any) -> None:
        _require_sense(options)
        stopped = _stop_on_signals()
        server = Server(options["server"])
        try:
            fleet = self._play_demo(server, stopped) if options["demo"] else self._play(server, stopped, options)
        finally:
            server.close()
        self._print_summary(fleet)

    def _play(self, server: Server, stopped: threading.Event, options: dict[str, Any]) -> Fleet:
        app_version = options["app_version"] or _find_store_version(server, options["key"])
        fleet = _make_fleet(server, options)
        fleet.grow(options["key"], app_version, options["devices"])
        self._announce(fleet)
        rounds = [options["seconds"] / options["starts"]] * options["starts"]
        half = len(rounds) // 2
        play(fleet, rounds[:half], stopped, options["state"])
        if options["move_to"]:
            new_version = options["move_to_version"] or _find_store_version(server, options["move_to"])
            fleet.move(options["key"], options["move_to"], new_version, options["move_share"])
        play(fleet, rounds[half:], stopped, options["state"])
        return fleet

    def _play_demo(self, server: Server, stopped: threading.Event) -> Fleet:
        server.wait_until_it_answers(stopped)
        state = settings.VAR_DIR / "demo-fleet.json"
        fleet = Fleet(server, seed=secrets.token_hex(4), luck=Luck(failure_rate=_DEMO_FAILURE_RATE))
        first_rounds = _DEMO_ROUNDS_SECONDS
        # Of another version: its phones are never heard of again, and new ones come.
        with suppress(StateUnreadable, FileNotFoundError):
            fleet.load(state)
            first_rounds = ()
        for deployment_key, store_version in FLEET_BUILDS:
            fleet.grow(deployment_key, store_version, _DEMO_DEVICES // len(FLEET_BUILDS))
        self._announce(fleet)
        play(fleet, itertools.chain(first_rounds, itertools.repeat(_DEMO_CALM_SECONDS)), stopped, state)
        return fleet

    def _announce(self, fleet: Fleet) -> None:
        self.stdout.write(f"{len(fleet.devices)} simulated devices are starting (seed {fleet.seed}).")

    def _print_summary(self, fleet: Fleet) -> None:
        for key, summary in fleet.summarize().items():
            self.stdout.write(f"{key}: {summary.device_count} devices")
            for line in summary.describe():
                self.stdout.write(f"  {line}")
        for problem, count in fleet.problems.items():
            self.stdout.write(f"{count} × {problem}")


def _require_sense(options: dict[str, Any]) -> None:
    if bool(options["key"]) == options["demo"]:
        raise CommandError("Give either --key or --demo.")
    for name in ("failure_rate", "download_rate", "duplicate_rate", "move_share"):
        if not 0 <= options[name] <= 1:
            raise CommandError(f"--{name.replace('_', '-')} is a share: a number from 0 to 1.")
    if min(options["devices"], options["starts"], options["jobs"]) < 1 or options["seconds"] < 0:
        raise CommandError("--devices, --starts and --jobs are at least 1, --seconds at least 0.")


def _make_fleet(server: Server, options: dict[str, Any]) -> Fleet:
    shares_downloads = options["share_downloads"]
    if shares_downloads is None:
        shares_downloads = options["devices"] > _DEVICES_WITH_OWN_DOWNLOADS
    luck = Luck(options["failure_rate"], options["duplicate_rate"], options["download_rate"])
    seed = options["seed"] or secrets.token_hex(4)
    fleet = Fleet(server, seed=seed, luck=luck, jobs=options["jobs"], shares_downloads=shares_downloads)
    if options["state"] and options["state"].exists():
        try:
            fleet.load(options["state"])
        except StateUnreadable as error:
            raise CommandError("--state is not a file that this version of the command has written.") from error
    return fleet


def _find_store_version(server: Server, deployment_key: str) -> str:
    try:
        version = server.find_store_version(deployment_key)
    except (Unreachable, ProtocolViolation) as error:
        raise CommandError(f"The server does not know which store version the devices have: {error}") from error
    if version is None:
        raise CommandError("The build has no update yet, so the server names no store version. Give --app-version.")
    return version


def _stop_on_signals() -> threading.Event:
    """Set on Ctrl-C, and when the process is told to end: the state is written and the summary printed all the same."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped
