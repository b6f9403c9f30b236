"""A simulated fleet: it goes on where it was, doubles reports, shares downloads, and moves to newer builds."""

import threading
from pathlib import Path

import pytest

from metrics.simulation.device import Luck
from metrics.simulation.fleet import Fleet, StateUnreadable, play
from tests.metrics.scripted_server import KEY, Phone, ScriptedServer


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
