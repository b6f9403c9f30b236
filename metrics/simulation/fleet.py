"""Many simulated devices at once, at a chosen pace, and the numbers that the server should show for them."""

import json
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx

from metrics.simulation.device import Device
from metrics.simulation.server import ProtocolViolation, Server
from metrics.simulation.shelf import Shelf

_THREADS = 8


@dataclass
class KeySummary:
    """What the devices of one deployment key did. {kind: {label: number}}: distinct devices, and reports."""

    device_count: int = 0
    devices: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    reports: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    # "": devices that run the store's bundle.
    active: Counter[str] = field(default_factory=Counter)

    def describe(self) -> list[str]:
        labels = {label for by_label in (self.active, *self.devices.values()) for label in by_label}
        return [
            f"{label or 'store bundle'}: {self.active[label]} active"
            + "".join(
                f", {self.devices[kind][label]} {kind} ({self.reports[kind][label]} reports)"
                for kind in ("downloads", "installs", "rollbacks")
                if label
            )
            for label in sorted(labels, key=lambda label: (len(label), label))
        ]


class Fleet:
    """Devices of one or more builds. Everything a device does follows from the seed and the server's answers."""

    def __init__(self, server: Server, *, seed: str, failure_rate: float) -> None:
        self.seed = seed
        self.devices: list[Device] = []
        self.problems: Counter[str] = Counter()
        self._server = server
        self._failure_rate = failure_rate
        self._shelf = Shelf({})

    def grow(self, deployment_key: str, app_version: str, device_count: int) -> None:
        """The key has at least this many devices; new ones have just installed the app from the store."""
        existing = sum(device.deployment_key == deployment_key for device in self.devices)
        for number in range(existing, device_count):
            chance = Random(f"{self.seed}:{deployment_key}:{number}")  # noqa: S311
            client_unique_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
            self.devices.append(Device(client_unique_id, deployment_key, app_version))

    def play_round(self, seconds: float, stopped: threading.Event) -> None:
        """Every device has started its app once, spread over the time. Ends early when stopped."""
        chance = Random(f"{self.seed}:{sum(device.start_count for device in self.devices)}")  # noqa: S311
        devices = chance.sample(self.devices, len(self.devices))
        starts = []
        with ThreadPoolExecutor(_THREADS) as pool:
            for device in devices:
                if stopped.wait(seconds / len(devices)):
                    break
                starts.append(pool.submit(self._start_app, device))
        self.problems.update(problem for start in starts if (problem := start.result()))

    def _start_app(self, device: Device) -> str:
        """What went wrong, as a sentence; "" when nothing did."""
        try:
            device.start_app(self._server, self._shelf, seed=self.seed, failure_rate=self._failure_rate)
        except httpx.HTTPError as error:
            return f"The server could not be reached ({type(error).__name__})."
        except ProtocolViolation as violation:
            return str(violation)
        return ""

    def summarize(self) -> dict[str, KeySummary]:
        """{deployment key: its numbers}, as the server should have them too."""
        summaries: dict[str, KeySummary] = defaultdict(KeySummary)
        for device in self.devices:
            summary = summaries[device.deployment_key]
            summary.device_count += bool(device.arrived)
            if device.counted_as is not None:
                summary.active[device.counted_as] += 1
            for kind, by_label in device.arrived.items():
                summary.devices[kind].update(by_label.keys())
                summary.reports[kind].update(by_label)
        return dict(summaries)

    def save(self, path: Path) -> None:
        state = {
            "seed": self.seed,
            "devices": [device.to_state() for device in self.devices],
            "manifests": self._shelf.manifests,
        }
        # Beside, then over: a fleet that is killed while writing keeps its last state.
        beside = path.with_suffix(".part")
        beside.write_text(json.dumps(state))
        beside.replace(path)

    def load(self, path: Path) -> None:
        """Devices continue where they were, under the seed they began with."""
        state = json.loads(path.read_text())
        self.seed = state["seed"]
        self.devices = [Device.from_state(device) for device in state["devices"]]
        self._shelf = Shelf(state["manifests"])


def play(fleet: Fleet, rounds: Iterable[float], stopped: threading.Event, state: Path | None) -> None:
    """One round after the other until none is left or somebody stops it; the state is kept after each."""
    for seconds in rounds:
        if stopped.is_set():
            return
        fleet.play_round(seconds, stopped)
        if state is not None:
            fleet.save(state)
