"""Why did this device get that: the page asks as the device does, and shows every rule on the way."""

import json
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import DjangoAssertNumQueries

from builds.models import Build
from deployments import snapshots
from deployments.models import CodePush
from metrics.aggregation import apply_waiting_reports, hash_client
from metrics.models import ReportLogEntry
from tests.deployments.pages import AsUser, build_url, report_installed, text_of
from tests.devices import Device
from tests.factories import BuildFactory, CodePushFactory
from tests.policy.histories import Release, find_client, publish


def explain_url(build: Build, **sent: str) -> str:
    return build_url(build, f"explain/?{urlencode(sent)}")


def device_url(build: Build, client: str) -> str:
    return build_url(build, f"devices/{hash_client(client)}/")


def read_answers(response: Any) -> list[dict[str, Any]]:
    """What the page says that the device gets, in both spellings."""
    parts = response.content.decode().split("<pre")[1:]
    return [json.loads(unescape(part.split(">", 1)[1].split("</pre>")[0])) for part in parts]


@pytest.fixture
def updates(build: Build) -> list[CodePush]:
    """v1 and v3 for everybody, v2 mandatory, v4 for a tenth. Device 0 runs v1, device 1 the bundle of the store."""
    codepushes = publish(build, Release(), Release(is_mandatory=True), Release(), Release(rollout_percent=10))
    report_installed(build, "v1", 1)
    report_installed(build, "", 1, first=1)
    return codepushes


@pytest.mark.parametrize(
    "sent",
    [
        {"client_unique_id": "device 0", "label": "v1"},
        {"client_unique_id": "device 9", "app_version": "2.9"},
        {"client_unique_id": "device 9", "app_version": "3", "label": "v77"},
        {"client_unique_id": "device 9", "label": "v3", "package_hash": "f" * 64},
        {"app_version": "3.0.0"},
    ],
    ids=["known", "older-binary", "unknown-label", "label-and-hash", "no-id"],
)
def test_the_answer_is_the_one_that_the_device_gets(
    as_user: AsUser, viewer: User, build: Build, updates: list[CodePush], sent: dict[str, str]
) -> None:
    bundle = updates[0].bundle
    assert bundle is not None
    known = {"app_version": "3.0.0"} | ({"package_hash": bundle.package_hash} if sent.get("label") == "v1" else {})
    device = Device(build.deployment_key, **{"client_unique_id": None, **known, **sent})  # type: ignore[arg-type]
    modern = device.check()
    device.is_legacy = True
    response = as_user(viewer).get(explain_url(build, **sent), headers={"Host": "testserver"})
    assert read_answers(response) == [modern.json, device.check().json]
    assert modern.headers["x-codepush-reason"] in text_of(response)


def test_every_rule_has_its_line_with_what_came_of_it(
    as_user: AsUser, viewer: User, build: Build, updates: list[CodePush]
) -> None:
    outside = find_client(outside=[updates[3]])
    page = text_of(as_user(viewer).get(explain_url(build, client_unique_id=outside)))
    assert page.count(">Passed<") == 8
    assert "10% includes 0–999: outside" in page
    assert "Mandatory: v2 is, an enabled update that it skips." in page
    older = text_of(as_user(viewer).get(explain_url(build, client_unique_id=outside, app_version="2.9")))
    assert "app_version 2.9 < the build's 3.0.0." in older
    assert (older.count(">Passed<"), older.count(">Stopped here<"), older.count(">Not reached<")) == (4, 1, 4)
    assert "It is sent to the store for 3.0.0" in older


def test_what_is_left_empty_is_filled_in_from_reports_and_says_so(
    as_user: AsUser, viewer: User, build: Build, updates: list[CodePush]
) -> None:
    ReportLogEntry.objects.create(
        event="installed",
        deployment_key=build.deployment_key,
        client_unique_id="device 2",
        label="v3",
        app_version="3.0",
    )
    apply_waiting_reports()
    response = as_user(viewer).get(explain_url(build, client_unique_id="device 2"))
    query = response.context["explanation"].query
    assert (query.label, query.app_version) == ("v3", "3.0")
    page = text_of(response)
    assert page.count("as its latest start said.") == 2
    assert ", that of v3." in page
    assert f'href="{device_url(build, "device 2")}?q=device%202"' in page


def test_what_is_typed_wins_over_what_was_reported(
    as_user: AsUser, viewer: User, build: Build, updates: list[CodePush]
) -> None:
    client = as_user(viewer)
    typed = client.get(explain_url(build, client_unique_id="device 0", label="v2")).context["explanation"]
    assert (typed.query.label, typed.trace.own_label) == ("v2", "v2")
    by_hash = client.get(explain_url(build, client_unique_id="device 0", package_hash="A" * 64)).context["explanation"]
    assert (by_hash.query.label, by_hash.query.package_hash) == ("", "a" * 64)
    in_store = client.get(explain_url(build, client_unique_id="device 0", label="store")).context["explanation"]
    assert (in_store.query.label, in_store.query.package_hash) == ("", "")


def test_a_device_that_never_reported_is_explained_too(
    as_user: AsUser, viewer: User, build: Build, updates: list[CodePush]
) -> None:
    page = text_of(as_user(viewer).get(explain_url(build, client_unique_id="nobody")))
    assert "No device with this client id ever reported to this build." in page
    assert "It is treated as one that runs the bundle of the store on binary 3.0.0." in page
    assert "3.0.0, the build's own, as no report of it says another." in page.replace("</span>", "")
    assert device_url(build, "nobody") not in page


def test_a_device_that_moved_on_is_said_to_run_another_build(
    as_user: AsUser, viewer: User, build: Build, updates: list[CodePush]
) -> None:
    newer = BuildFactory(project=build.project, store_version="3.1.0")
    moved = Device(newer.deployment_key, client_unique_id="device 0", app_version="3.1.0")
    moved.report_deploy(previous_deployment_key=build.deployment_key, previous_label_or_app_version="v1")
    apply_waiting_reports()
    page = text_of(as_user(viewer).get(explain_url(build, client_unique_id="device 0")))
    assert "It runs another build now." in page


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"app_version": "abc"}, "A device with app_version 'abc' is answered 400. Use a version such as 3.0.0."),
        ({"label": "3"}, "'3' is no label. Use one such as v3, or “store” for the store's bundle."),
        ({"package_hash": "zz"}, "'zz' is no package hash. It has 64 digits, 0–9 and a–f."),
        ({"client_unique_id": "x" * 200}, "Too long: at most 128 characters, and these are 200."),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_asked_is_refused_in_words(
    as_user: AsUser, viewer: User, build: Build, sent: dict[str, str], sentence: str
) -> None:
    response = as_user(viewer).get(explain_url(build, **sent))
    assert response.status_code == 200
    assert sentence in text_of(response)
    assert response.context["explanation"] is None


def test_without_a_question_the_page_says_what_to_do(as_user: AsUser, viewer: User, build: Build) -> None:
    response = as_user(viewer).get(explain_url(build))
    assert "Paste the client id of a device" in text_of(response)
    assert response.context["explanation"] is None


def test_the_page_is_linked_from_the_build_and_from_the_device(
    as_user: AsUser, viewer: User, build: Build, updates: list[CodePush]
) -> None:
    client = as_user(viewer)
    assert f'href="{build_url(build, "explain/")}"' in text_of(client.get(build_url(build)))
    device = device_url(build, "device 0")
    assert f'href="{build_url(build, "explain/?client_unique_id=device%200")}"' in text_of(
        client.get(device, {"q": "device 0"})
    )
    CodePush.objects.update(rollout_percent=100)
    snapshots.store.clear()
    anonymous = text_of(client.get(device))
    assert f'href="{build_url(build, "explain/?app_version=3.0.0&label=v1")}"' in anonymous


@pytest.mark.parametrize("update_count", [1, 30])
def test_an_explanation_costs_the_same_however_many_updates(
    as_user: AsUser,
    viewer: User,
    build: Build,
    update_count: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    CodePushFactory.create_batch(update_count, build=build, rollout_percent=50)
    report_installed(build, "v1", 1)
    client = as_user(viewer)
    # Session, user, membership, build, device, software, hash of what it runs, snapshot (2); what is under way.
    with django_assert_num_queries(9):
        client.get(explain_url(build, client_unique_id="device 0"))
