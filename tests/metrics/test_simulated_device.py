"""The simulated device behaves as the real client does: what it remembers, ignores, reports and sends again."""

import json

import pytest

from metrics.simulation import device as simulated
from metrics.simulation.server import Package, ProtocolViolation
from tests.metrics.scripted_server import KEY, Phone, ScriptedServer, make_zip


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
