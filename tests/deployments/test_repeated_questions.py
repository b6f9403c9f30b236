"""Who asks what was asked before gets exactly what `decide` would say to it now."""

import time
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from builds.models import Build
from deployments import device_api, repeated_questions
from deployments.models import CodePush
from deployments.policy import decision
from deployments.policy.types import Decision, Snapshot, UpdateQuery
from deployments.services.codepushes import edit_codepush
from tests.deployments.answers import assert_offered, bundle_of
from tests.devices import Device, Reply
from tests.factories import CodePushFactory


@pytest.fixture(autouse=True)
def _nothing_was_asked() -> None:
    _forget()


def _forget() -> None:
    for spelling in (device_api._V01, device_api._LEGACY):
        spelling.repeated.forget()


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the devices for which `decide` was asked."""
    asked: list[str] = []

    def decide(snapshot: Snapshot, query: UpdateQuery) -> Decision:
        asked.append(query.client_unique_id)
        return decision.decide(snapshot, query)

    monkeypatch.setattr(device_api, "decide", decide)
    return asked


@pytest.mark.parametrize("is_legacy", [False, True])
def test_devices_that_ask_alike_cost_one_decision(
    device: Device, codepush: CodePush, decided: list[str], is_legacy: bool
) -> None:
    name = "clientUniqueId" if is_legacy else "client_unique_id"
    device.is_legacy = is_legacy
    replies = [device.ask(f"deployment_key={device.key}&app_version=3.0.0&{name}=phone-{n}") for n in range(5)]
    assert [reply.update["label"] for reply in replies] == ["v1"] * 5
    assert decided == ["phone-0"]


def test_each_side_of_a_rollout_costs_one_decision(device: Device, build: Build, decided: list[str]) -> None:
    for percent in (100, 50, 30):
        CodePushFactory(build=build, rollout_percent=percent)
    labels = [device.check({"client_unique_id": f"phone-{n}"}).update["label"] for n in range(100)]
    assert {*labels} == {"v1", "v2", "v3"}
    assert len(decided) == 3
    _forget()
    for number, label in enumerate(labels):
        _forget()
        assert device.check({"client_unique_id": f"phone-{number}"}).update["label"] == label


def test_a_change_is_in_the_next_answer(device: Device, codepush: CodePush, owner: User) -> None:
    device.check()
    edit_codepush(codepush.pk, actor=owner, is_enabled=False)
    assert not device.check().update["is_available"]


def test_an_answer_names_the_address_that_this_device_asked(device: Device, codepush: CodePush) -> None:
    for host in ("one.example", "two.example"):
        device.headers = {"Host": host}
        assert device.check().update["download_url"].startswith(f"http://{host}/")


def test_an_answer_is_made_anew_before_its_address_can_run_out(
    device: Device, codepush: CodePush, decided: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    device.check()
    now = time.monotonic()
    monkeypatch.setattr(repeated_questions, "monotonic", lambda: now + 3700)
    device.check()
    device.check()
    assert len(decided) == 2


def test_questions_fill_no_memory(device: Device, codepush: CodePush, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeated_questions, "MAX_QUESTIONS", 3)
    for number in range(10):
        assert_offered(device.check({"label": f"made-up-{number}"}), codepush)
    assert_offered(device.check({"label": "made-up" * 1000}), codepush)
    for number in range(10):
        device.headers = {"Host": f"host-{number}.example"}
        assert device.check().update["label"] == codepush.label
    assert sum(map(len, device_api._V01.repeated._known.values())) <= 3
    assert len(device_api._V01.repeated._known) <= 3


def test_two_ids_in_one_question_are_told_apart(device: Device, build: Build) -> None:
    """Where the last one is empty the other counts, and else it does not: no answer may be kept for such questions."""
    CodePushFactory(build=build, rollout_percent=50)
    device.is_legacy = True
    included, outside = (
        next(name for name in map(str, range(100)) if _is_offered(device, f"&clientUniqueId={name}") is wanted)
        for wanted in (True, False)
    )
    for _ in range(2):
        assert not _is_offered(device, f"&client_unique_id={included}&clientUniqueId={outside}")
        assert _is_offered(device, f"&client_unique_id={included}&clientUniqueId=")


def _is_offered(device: Device, ids: str) -> bool:
    return bool(device.ask(f"deployment_key={device.key}&app_version=3.0.0{ids}").update["isAvailable"])


NAMES = ["app_version", "appVersion", "package_hash", "label", "is_companion", "client_unique_id", "clientUniqueId"]


@given(st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_was_asked_before_the_answer_is_that_of_a_server_that_remembers_nothing(
    device: Device, two_rollouts: CodePush, data: st.DataObject
) -> None:
    values = [
        "",
        "3.0.0",
        "2.0.0",
        "true",
        "v1",
        "v3",
        "v99",
        bundle_of(two_rollouts).package_hash,
        "a%2Fb",
        "a+b",
        "a&b",
    ]
    more = data.draw(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(values)), max_size=3))
    asked = urlencode([("deployment_key", device.key), ("app_version", "3.0.0"), *more])
    ids = st.sampled_from(["", "1", "2", "3", "4", "a b", "%41", "ü", "x&label=v3", "x&client_unique_id=1"])
    tails = st.tuples(st.sampled_from(["client_unique_id", "clientUniqueId"]), ids)
    questions = [f"{asked}&{name}={value}" for name, value in data.draw(st.lists(tails, min_size=2, max_size=5))]
    device.is_legacy = data.draw(st.booleans())
    remembered = [device.ask(question) for question in questions * 2]
    assert remembered == [_ask_anew(device, question) for question in questions * 2]


@pytest.fixture
def two_rollouts(build: Build) -> CodePush:
    """v3 for half of the devices, v2 for half of the others, v1 for the rest."""
    CodePushFactory(build=build)
    CodePushFactory(build=build, rollout_percent=50)
    newest: CodePush = CodePushFactory(build=build, rollout_percent=50)
    return newest


def _ask_anew(device: Device, question: str) -> Reply:
    _forget()
    return device.ask(question)


def test_the_settings_of_the_address_are_read_with_each_request(
    device: Device, codepush: CodePush, settings: Settings
) -> None:
    device.check()
    settings.PUBLIC_URL = "https://codepush.example"
    assert device.check().update["download_url"].startswith("https://codepush.example/")
