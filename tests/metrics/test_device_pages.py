"""From a number to its devices, and from a device to what it did and what it would be offered now."""

import csv
import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import DjangoAssertNumQueries

from builds.models import Build
from deployments.models import CodePush
from deployments.policy.reasons import SENTENCES
from deployments.policy.types import Reason
from metrics.aggregation import apply_waiting_reports, hash_client
from metrics.models import Device as DeviceRow
from tests.deployments.pages import AsUser, build_url, report_installed, text_of
from tests.devices import V01, Device, send
from tests.factories import BuildFactory, CodePushFactory

FORMULA_ID = "=HYPERLINK(1)"


def devices_url(build: Build, query: str = "") -> str:
    return build_url(build, f"devices/?{query}")


def device_url(build: Build, client: str, query: str = "") -> str:
    return build_url(build, f"devices/{hash_client(client)}/?{query}")


def name_of(client: str) -> str:
    return f"Device {hash_client(client).hex[:8]}"


def read_csv(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))


@pytest.fixture
def history(build: Build) -> list[CodePush]:
    """Devices 0 to 2 installed v1; then 1 and 2 downloaded v2, 1 failed to apply it, 2 runs it; 3 runs the store's."""
    codepushes: list[CodePush] = CodePushFactory.create_batch(2, build=build)
    report_installed(build, "v1", 3)
    report_installed(build, "", 1, first=3)
    for number in (1, 2):
        Device(build.deployment_key, client_unique_id=f"device {number}").report_download("v2")
    Device(build.deployment_key, client_unique_id="device 1", label="v2").report_deploy("DeploymentFailed")
    report_installed(build, "v2", 1, first=2)
    return codepushes


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [0, 1, 2, 3]),
        ("show=active", [0, 1, 2, 3]),
        ("show=active&label=v1", [0, 1]),
        ("show=active&label=v2,v1", [0, 1, 2]),
        ("show=active&label=store", [3]),
        ("show=downloads&label=v2", [1, 2]),
        ("show=installs&label=v1", [0, 1, 2]),
        ("show=rollbacks&label=v2", [1]),
        ("show=rollbacks&label=v1", []),
        ("show=installs", [2]),
        ("show=nonsense&label=v9&after=nothing", [0, 1, 2, 3]),
        ("q=device+1", [1]),
        ("q=device+1&show=installs&label=v2", []),
        ("q=device", []),
    ],
)
def test_a_number_opens_the_devices_behind_it(
    as_user: AsUser, viewer: User, build: Build, history: list[CodePush], query: str, expected: list[int]
) -> None:
    page = text_of(as_user(viewer).get(devices_url(build, query)))
    assert [n for n in range(4) if name_of(f"device {n}") in page] == expected
    exported = read_csv(as_user(viewer).get(build_url(build, f"devices.csv?{query}")))
    assert {row["device"] for row in exported} == {str(hash_client(f"device {n}")) for n in expected}
    if not query.startswith("q="):
        assert f"{len(expected)} device" in page


def test_cards_and_panels_link_to_the_devices(
    as_user: AsUser, viewer: User, build: Build, history: list[CodePush]
) -> None:
    page = text_of(as_user(viewer).get(build_url(build)))
    for query in (
        "show=active&label=v2",
        "show=downloads&label=v2",
        "show=installs&label=v1",
        "show=rollbacks&label=v2",
        "show=active&label=store",
        "show=all",
    ):
        assert f'class="opens" href="{devices_url(build, query)}"' in page
    # A zero has nothing behind it.
    assert "show=rollbacks&label=v1" not in page


def test_a_list_about_an_update_says_what_each_device_did_with_it(
    as_user: AsUser, viewer: User, build: Build, history: list[CodePush]
) -> None:
    page = text_of(as_user(viewer).get(devices_url(build, "show=rollbacks&label=v2")))
    assert "1 device failed to apply v2 and went back by themselves" in page
    assert "Downloaded, Rolled back by itself" in page


def test_a_device_that_moved_to_another_build_is_no_longer_active(
    as_user: AsUser, viewer: User, build: Build, history: list[CodePush]
) -> None:
    newer = BuildFactory(project=build.project, store_version="3.1.0")
    Device(newer.deployment_key, client_unique_id="device 0", app_version="3.1.0").report_deploy(
        previous_deployment_key=build.deployment_key, previous_label_or_app_version="v1"
    )
    apply_waiting_reports()
    client = as_user(viewer)
    assert name_of("device 0") not in text_of(client.get(devices_url(build, "show=active")))
    assert "Moved to another build" in text_of(client.get(devices_url(build)))
    assert "Moved to another build" in text_of(client.get(device_url(build, "device 0")))


def test_pages_follow_each_other_and_meet_every_device_once(as_user: AsUser, viewer: User, build: Build) -> None:
    CodePushFactory(build=build)
    report_installed(build, "v1", 60)
    for show in ("all", "active", "installs"):
        address, met = devices_url(build, f"show={show}&label=v1"), []
        while address:
            context = as_user(viewer).get(address).context
            met += [row.client_hash for row in context["page"].rows]
            after = context["page"].next_after
            address = devices_url(build, f"show={show}&label=v1&after={after}") if after else ""
        assert met == sorted(hash_client(f"device {number}") for number in range(60))


@pytest.mark.parametrize("device_count", [1, 30])
def test_a_list_costs_the_same_however_many_devices(
    as_user: AsUser,
    viewer: User,
    build: Build,
    device_count: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    CodePushFactory(build=build)
    report_installed(build, "v1", device_count)
    client = as_user(viewer)
    # Session, user, membership, build, software, newest label, numbers (2), then devices, what they did and say that
    # they are; what is under way.
    with django_assert_num_queries(11):
        client.get(devices_url(build, "show=active&label=v1"))
    # Facts first, then their devices.
    with django_assert_num_queries(12):
        client.get(devices_url(build, "show=installs&label=v1"))
    # Session, user, membership, build, newest label, device, facts, software, snapshot (2), what it runs; what is under
    # way.
    with django_assert_num_queries(11):
        client.get(device_url(build, "device 0"))


def test_without_devices_the_list_says_so(as_user: AsUser, viewer: User, build: Build) -> None:
    client = as_user(viewer)
    assert "No device has reported to this build yet." in text_of(client.get(devices_url(build)))
    assert "No devices match." in text_of(client.get(devices_url(build, "show=installs")))
    assert "No device with this client id has reported" in text_of(client.get(devices_url(build, "q=me")))


def test_the_export_runs_no_formula(as_user: AsUser, viewer: User, build: Build) -> None:
    CodePushFactory(build=build)
    Device(build.deployment_key, client_unique_id=FORMULA_ID, label="v1").report_deploy()
    apply_waiting_reports()
    response = as_user(viewer).get(build_url(build, "devices.csv"), {"q": FORMULA_ID, "label": "v1"})
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = read_csv(response)
    assert row["client_id"] == f"'{FORMULA_ID}"
    assert (row["current_release"], row["installed"], row["downloaded"]) == ("v1", "v1", "")


def test_the_export_goes_beyond_one_batch(
    as_user: AsUser, viewer: User, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metrics.devices._EXPORT_BATCH", 2)
    CodePushFactory(build=build)
    report_installed(build, "v1", 5)
    assert len(read_csv(as_user(viewer).get(build_url(build, "devices.csv?show=installs&label=v1")))) == 5


def test_a_device_page_shows_reports_only_to_who_knows_the_client_id(
    as_user: AsUser, viewer: User, build: Build, history: list[CodePush]
) -> None:
    client = as_user(viewer)
    by_hash = text_of(client.get(device_url(build, "device 2")))
    assert "Runs v2" in by_hash
    assert "Its reports" not in by_hash
    assert "device 2" not in by_hash
    by_id = text_of(client.get(device_url(build, "device 2", "q=device+2")))
    assert "Its reports" in by_id
    assert by_id.count("<td>Installed</td>") == 2
    assert "That is the client id of another device." in text_of(
        client.get(device_url(build, "device 2", "q=device+1"))
    )


def test_a_report_tells_which_client_library_sent_it(as_user: AsUser, viewer: User, build: Build) -> None:
    body = {"deployment_key": build.deployment_key, "app_version": "3.0.0", "client_unique_id": "device 0"}
    headers = {
        "Content-Type": "application/json",
        "X-CodePush-Plugin-Name": "react-native-code-push",
        "X-CodePush-Plugin-Version": "9.0.1",
        "X-CodePush-SDK-Version": "4.2.3",
    }
    address = f"{V01}/report_status/deploy"
    assert send("POST", address, body=json.dumps(body).encode(), headers=headers).status == 200
    too_long = headers | {"X-CodePush-Plugin-Name": "n" * 1000}
    assert send("POST", address, body=json.dumps(body).encode(), headers=too_long).status == 200
    apply_waiting_reports()
    page = text_of(as_user(viewer).get(device_url(build, "device 0", "q=device+0")))
    assert ">react-native-code-push 9.0.1, SDK 4.2.3<" in page
    assert f">{'n' * 64} 9.0.1, SDK 4.2.3<" in page


def test_a_client_id_is_shown_masked(as_user: AsUser, viewer: User, build: Build) -> None:
    Device(build.deployment_key, client_unique_id="0123456789abcdef").report_deploy()
    apply_waiting_reports()
    assert "0123…ef" in text_of(as_user(viewer).get(devices_url(build, "q=0123456789abcdef")))


def test_a_device_that_never_reported_is_a_404(as_user: AsUser, viewer: User, build: Build) -> None:
    elsewhere = BuildFactory(project=build.project)
    report_installed(elsewhere, "", 1)
    assert as_user(viewer).get(device_url(build, "device 0")).status_code == 404


def test_a_device_that_was_silent_for_long_still_has_what_it_did(
    as_user: AsUser, viewer: User, build: Build, history: list[CodePush]
) -> None:
    DeviceRow.objects.filter(build=build, client_hash=hash_client("device 1")).delete()
    client = as_user(viewer)
    assert name_of("device 1") in text_of(client.get(devices_url(build, "show=rollbacks&label=v2")))
    assert client.get(device_url(build, "device 1")).status_code == 200


def test_outsiders_find_neither_lists_nor_devices(
    as_user: AsUser, outsider: User, build: Build, history: list[CodePush]
) -> None:
    client = as_user(outsider)
    for address in (devices_url(build), build_url(build, "devices.csv"), device_url(build, "device 0")):
        assert client.get(address).status_code == 404


def test_what_a_device_would_be_offered_is_what_it_is_offered(
    as_user: AsUser, viewer: User, build: Build, history: list[CodePush]
) -> None:
    """The page asks as the device does."""
    older = history[0]
    assert older.bundle is not None
    device = Device(
        build.deployment_key, client_unique_id="device 0", label="v1", package_hash=older.bundle.package_hash
    )
    assert device.check().update["label"] == "v2"
    page = text_of(as_user(viewer).get(device_url(build, "device 0")))
    assert "v2, the newest enabled update whose rollout includes it, as a whole bundle. It downloads 1.0 kB." in page
    up_to_date = text_of(as_user(viewer).get(device_url(build, "device 2")))
    assert "it already runs the bundle of the newest update" in up_to_date


def test_an_unfinished_rollout_is_answered_for_a_client_id_only(
    as_user: AsUser, viewer: User, build: Build, history: list[CodePush]
) -> None:
    # The place of a device follows from the ID, and one in fifty of two random ones would include this device.
    for codepush, name in zip(history, ("dpl_FIRST", "dpl_SECOND"), strict=True):
        CodePush.objects.filter(pk=codepush.pk).update(rollout_percent=1, deployment_id=name)
    client = as_user(viewer)
    assert "type it beside to see the answer" in text_of(client.get(device_url(build, "device 0")))
    typed = text_of(client.get(device_url(build, "device 0", "q=device+0")))
    assert "Nothing: it is outside the rollout of every enabled update." in typed


def test_every_reason_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Reason)
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())


def test_no_client_id_is_kept_by_looking_it_up(
    as_user: AsUser, viewer: User, build: Build, history: list[CodePush]
) -> None:
    before = DeviceRow.objects.count()
    as_user(viewer).get(devices_url(build, "q=somebody"))
    assert DeviceRow.objects.count() == before
