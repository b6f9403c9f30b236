"""The simulated device behaves as the real client does: what it remembers, ignores, reports and sends again."""

import json
import threading
from pathlib import Path

import pytest

from metrics.simulation import device as simulated
from metrics.simulation.device import Device, Luck
from metrics.simulation.fleet import Fleet, StateUnreadable, play
from metrics.simulation.server import Package, ProtocolViolation
from metrics.simulation.shelf import Shelf
from tests.metrics.scripted_server import ScriptedServer, make_zip

KEY = "key-of-the-build"


@pytest.fixture(autouse=True)
def _no_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost, and no app is closed, unless a test says so."""
    monkeypatch.setattr(simulated, "_LOST_ANSWER_RATE", 0.0)
    monkeypatch.setattr(simulated, "_CLOSED_BEFORE_INSTALLING_RATE", 0.0)


@pytest.fixture
def server() -> ScriptedServer:
    return ScriptedServer()


class Phone:
    def __init__(self, server: ScriptedServer) -> None:
        self.device = Device("device-1", KEY, "3.0.0")
        self._server = server
        self._shelf = Shelf({})

    def start(self, **luck: float) -> None:
        self.device.start_app(self._server, self._shelf, seed="tests", luck=Luck(**luck))


@pytest.fixture
def phone(server: ScriptedServer) -> Phone:
    return Phone(server)


def test_an_optional_update_is_installed_at_the_next_start(server: ScriptedServer, phone: Phone) -> None:
    server.release("v1", "one")

    phone.start()
    assert server.sent == [("binary", ""), ("Downloaded", "v1")]
    assert phone.device.running is None

    phone.start()
    assert server.sent[2:] == [("DeploymentSucceeded", "v1")]
    assert phone.device.running is not None


def test_a_mandatory_update_is_installed_at_once(server: ScriptedServer, phone: Phone) -> None:
    server.release("v1", "one", is_mandatory=True)

    phone.start()

    assert server.sent == [("binary", ""), ("Downloaded", "v1"), ("DeploymentSucceeded", "v1")]


def test_nothing_is_reported_twice(server: ScriptedServer, phone: Phone) -> None:
    server.release("v1", "one")

    for _ in range(5):
        phone.start()

    assert len(server.sent) == len(set(server.sent)) == 3


def test_an_update_that_crashed_is_reported_and_ignored_from_then_on(server: ScriptedServer, phone: Phone) -> None:
    server.release("v1", "one")
    phone.start()

    phone.start(failure_rate=1.0)
    # The same bundle under another label is the same bundle to a client.
    server.release("v2", "one")
    phone.start()

    assert server.sent == [("binary", ""), ("Downloaded", "v1"), ("DeploymentFailed", "v1")]
    assert phone.device.running is None


def test_a_report_whose_answer_was_lost_is_sent_again(
    server: ScriptedServer, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated, "_LOST_ANSWER_RATE", 1.0)
    phone.start()
    monkeypatch.setattr(simulated, "_LOST_ANSWER_RATE", 0.0)

    phone.start()
    phone.start()

    assert server.sent == [("binary", ""), ("binary", "")]


def test_a_report_that_did_not_arrive_is_not_counted_before_it_does(server: ScriptedServer, phone: Phone) -> None:
    server.is_away = True
    with pytest.raises(ProtocolViolation):
        phone.start()
    assert phone.device.arrived == {}

    server.is_away = False
    phone.start()

    assert (server.sent, phone.device.counted_as) == ([("binary", "")], {KEY: ""})


def test_a_success_that_was_not_answered_gives_way_to_a_newer_one(server: ScriptedServer, phone: Phone) -> None:
    server.release("v1", "one")
    phone.start()
    server.is_away = True
    with pytest.raises(ProtocolViolation):
        phone.start()
    server.is_away = False
    phone.device.pending = Package("v2", "hash of v2", "3.0.0")
    server.offer = None

    phone.start()
    phone.start()

    assert [report for report in server.sent if report[0] == "DeploymentSucceeded"] == [("DeploymentSucceeded", "v2")]


def test_an_archive_that_is_not_what_was_promised_is_found_out(server: ScriptedServer, phone: Phone) -> None:
    server.release("v1", "one", archive=make_zip({"CodePush/index.android.bundle": "something else"}))

    with pytest.raises(ProtocolViolation, match="v1 is not what it claims to be"):
        phone.start()

    phone.start()
    assert ("Downloaded", "v1") not in server.sent


def test_a_diff_is_applied_to_what_the_device_runs(server: ScriptedServer, phone: Phone) -> None:
    server.release("v1", "one", is_mandatory=True)
    phone.start()

    diff = {"hotcodepush.json": json.dumps({"deletedFiles": []}), "CodePush/index.android.bundle": "two"}
    server.release("v2", "two", is_mandatory=True, archive=make_zip(diff))
    phone.start()

    assert server.sent[-1] == ("DeploymentSucceeded", "v2")


def test_a_fleet_continues_where_it_was(server: ScriptedServer, tmp_path: Path) -> None:
    server.release("v1", "one")
    state = tmp_path / "fleet.json"
    first = Fleet(server, seed="tests", luck=Luck())
    first.grow(KEY, "3.0.0", 5)
    play(first, [0.0, 0.0], threading.Event(), state)

    second = Fleet(server, seed="another", luck=Luck())
    second.load(state)
    second.grow(KEY, "3.0.0", 6)

    assert second.devices[:5] == first.devices
    assert len({device.client_unique_id for device in second.devices}) == 6
    assert second.summarize()[KEY].active == {"v1": 5}


def test_a_stopped_fleet_starts_nothing_more(server: ScriptedServer) -> None:
    stopped = threading.Event()
    stopped.set()
    fleet = Fleet(server, seed="tests", luck=Luck())
    fleet.grow(KEY, "3.0.0", 5)

    play(fleet, [60.0], stopped, None)

    assert server.sent == []


def test_a_report_that_something_on_the_way_doubles_arrives_twice_at_once_or_later(server: ScriptedServer) -> None:
    fleet = Fleet(server, seed="tests", luck=Luck(duplicate_rate=1.0))
    fleet.grow(KEY, "3.0.0", 40)

    play(fleet, [0.0], threading.Event(), None)
    assert 40 < len(server.sent) < 80
    play(fleet, [0.0], threading.Event(), None)

    assert server.sent == [("binary", "")] * 80
    assert fleet.summarize()[KEY].reports["binary"] == {"": 80}


def test_offers_that_are_not_downloaded_at_once_are_at_a_later_start(server: ScriptedServer) -> None:
    server.release("v1", "one")
    fleet = Fleet(server, seed="tests", luck=Luck(download_rate=0.5))
    fleet.grow(KEY, "3.0.0", 40)

    play(fleet, [0.0], threading.Event(), None)
    assert 0 < fleet.summarize()[KEY].devices["downloads"]["v1"] < 40

    play(fleet, [0.0] * 12, threading.Event(), None)
    assert fleet.summarize()[KEY].devices["downloads"]["v1"] == 40


def test_a_fleet_that_shares_downloads_transfers_a_file_once(server: ScriptedServer) -> None:
    server.release("v1", "one")
    fleet = Fleet(server, seed="tests", luck=Luck(), shares_downloads=True)
    fleet.grow(KEY, "3.0.0", 10)

    play(fleet, [0.0], threading.Event(), None)

    assert (server.transfers, fleet.summarize()[KEY].devices["downloads"]["v1"]) == (1, 10)


def test_a_device_with_a_newer_binary_leaves_the_build_whose_update_it_ran(
    server: ScriptedServer, phone: Phone
) -> None:
    server.release("v1", "one", is_mandatory=True)
    phone.start()
    server.offer = None

    phone.device.replace_binary("key-of-the-newer", "3.1.0")
    phone.start()
    phone.start()

    assert server.bodies[3:] == [
        {
            "deployment_key": "key-of-the-newer",
            "app_version": "3.1.0",
            "client_unique_id": "device-1",
            "previous_label_or_app_version": "v1",
            "previous_deployment_key": KEY,
        }
    ]
    assert phone.device.counted_as == {"key-of-the-newer": ""}


def test_a_device_with_a_newer_binary_that_had_no_update_cannot_say_where_it_was(
    server: ScriptedServer, phone: Phone
) -> None:
    phone.start()

    phone.device.replace_binary("key-of-the-newer", "3.1.0")
    phone.start()

    assert server.bodies[-1]["previous_deployment_key"] == "key-of-the-newer"
    assert phone.device.counted_as == {KEY: "", "key-of-the-newer": ""}


def test_the_chosen_share_of_a_fleet_moves_once(server: ScriptedServer) -> None:
    fleet = Fleet(server, seed="tests", luck=Luck())
    fleet.grow(KEY, "3.0.0", 100)

    for _ in range(2):
        fleet.move(KEY, "key-of-the-newer", "3.1.0", 0.3)
    fleet.grow(KEY, "3.0.0", 100)

    moved = [device for device in fleet.devices if device.deployment_key == "key-of-the-newer"]
    assert 15 < len(moved) < 45
    assert len(fleet.devices) == 100


def test_what_is_not_the_state_of_a_fleet_is_refused(server: ScriptedServer, tmp_path: Path) -> None:
    for text in ("", "[]", '{"seed": "1", "devices": [], "manifests": {}}'):
        (tmp_path / "state.json").write_text(text)
        with pytest.raises(StateUnreadable):
            Fleet(server, seed="tests", luck=Luck()).load(tmp_path / "state.json")
