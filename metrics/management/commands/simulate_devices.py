import itertools
import logging
import secrets
import signal
import threading
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from deployments.demo import FLEET_BUILDS
from metrics.simulation.fleet import Fleet, play
from metrics.simulation.server import ProtocolViolation, Server

# In the time given every device starts its app this often: enough to ask, download, install, and resend.
_STARTS = 5
_DEMO_DEVICES = 60
_DEMO_FAILURE_RATE = 0.06
# The demo's first rounds are brisk, so that its charts are not empty for long.
_DEMO_ROUNDS_SECONDS = (5.0, 10.0, 30.0)
_DEMO_CALM_SECONDS = 120.0


class Command(BaseCommand):
    help = "Play devices over HTTP, with the protocol of the real client. Prints what the server should have counted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--server", required=True, metavar="URL", help="Such as http://127.0.0.1:8000.")
        parser.add_argument("--key", help="Deployment key of the build that the devices have installed.")
        parser.add_argument("--app-version", help="The build's store version; asked from the server when not given.")
        parser.add_argument("--devices", type=int, default=50, metavar="N")
        parser.add_argument("--seconds", type=float, default=10.0, metavar="S", help="How long it should take.")
        parser.add_argument("--failure-rate", type=float, default=0.0, metavar="F", help="0..1: updates that crash.")
        parser.add_argument("--seed", help="The same seed gives the same devices with the same luck.")
        parser.add_argument("--state", type=Path, metavar="FILE", help="Devices continue where they were.")
        parser.add_argument("--demo", action="store_true", help="A small fleet on the demo builds, until stopped.")

    def handle(self, **options: Any) -> None:
        if bool(options["key"]) == options["demo"]:
            raise CommandError("Give either --key or --demo.")
        if not 0 <= options["failure_rate"] <= 1:
            raise CommandError("--failure-rate is a share: a number from 0 to 1.")
        if options["devices"] < 1 or options["seconds"] < 0:
            raise CommandError("--devices is at least 1, --seconds at least 0.")
        # It would write a line per request, with whole client ids.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        stopped = _stop_on_signals()
        server = Server(options["server"])
        try:
            fleet, rounds, state = _prepare_demo(server, stopped) if options["demo"] else _prepare(server, options)
            self.stdout.write(f"{len(fleet.devices)} simulated devices are starting (seed {fleet.seed}).")
            play(fleet, rounds, stopped, state)
        finally:
            server.close()
        self._print_summary(fleet)

    def _print_summary(self, fleet: Fleet) -> None:
        for key, summary in fleet.summarize().items():
            self.stdout.write(f"{key}: {summary.device_count} devices")
            for line in summary.describe():
                self.stdout.write(f"  {line}")
        for problem, count in fleet.problems.items():
            self.stdout.write(f"{count} × {problem}")


def _prepare(server: Server, options: dict[str, Any]) -> tuple[Fleet, Iterable[float], Path | None]:
    app_version = options["app_version"] or _find_store_version(server, options["key"])
    fleet = Fleet(server, seed=options["seed"] or secrets.token_hex(4), failure_rate=options["failure_rate"])
    if options["state"] and options["state"].exists():
        fleet.load(options["state"])
    fleet.grow(options["key"], app_version, options["devices"])
    return fleet, [options["seconds"] / _STARTS] * _STARTS, options["state"]


def _prepare_demo(server: Server, stopped: threading.Event) -> tuple[Fleet, Iterable[float], Path]:
    server.wait_until_it_answers(stopped)
    state = settings.VAR_DIR / "demo-fleet.json"
    fleet = Fleet(server, seed=secrets.token_hex(4), failure_rate=_DEMO_FAILURE_RATE)
    first_rounds: tuple[float, ...] = _DEMO_ROUNDS_SECONDS
    if state.exists():
        fleet.load(state)
        first_rounds = ()
    for deployment_key, store_version in FLEET_BUILDS:
        fleet.grow(deployment_key, store_version, _DEMO_DEVICES // len(FLEET_BUILDS))
    return fleet, itertools.chain(first_rounds, itertools.repeat(_DEMO_CALM_SECONDS)), state


def _find_store_version(server: Server, deployment_key: str) -> str:
    try:
        version = server.find_store_version(deployment_key)
    except (httpx.HTTPError, ProtocolViolation) as error:
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
