"""App version, platform and client library of devices: shown, filtered by, counted, exported."""

import pytest
from django.contrib.auth.models import User

from builds.models import Build
from metrics.aggregation import apply_waiting_reports, hash_client
from metrics.models import ReportLogEntry
from tests.deployments.pages import AsUser, build_url, report_installed, text_of
from tests.factories import CodePushFactory
from tests.metrics.test_device_pages import device_url, devices_url, name_of, read_csv


def report_software(build: Build, number: int, app_version: str, library_version: str) -> None:
    """Device `number` says at its start what it is."""
    ReportLogEntry.objects.create(
        event="binary_started",
        deployment_key=build.deployment_key,
        client_unique_id=f"device {number}",
        app_version=app_version,
        plugin_name="react-native-code-push",
        plugin_version=library_version,
        sdk_version="4.2.3",
    )
    apply_waiting_reports()


@pytest.fixture
def mixture(build: Build) -> None:
    """Devices 0 to 2 run v1 and say 3.0.0 and no client library; 3 to 5 run the bundle of the store and say both."""
    CodePushFactory(build=build)
    report_installed(build, "v1", 3)
    report_software(build, 3, "3.0.0", "9.0.1")
    report_software(build, 4, "3.0", "9.0.1")
    report_software(build, 5, "3.0", "8.2.1")


@pytest.mark.usefixtures("mixture")
@pytest.mark.parametrize(
    ("query", "expected", "words"),
    [
        ("app=3.0", [4, 5], "2 devices reported to this build at some time, on app version 3.0<"),
        ("library=react-native-code-push+9.0.1", [3, 4], "2 devices reported to this build at some time, with react"),
        ("app=3.0&library=react-native-code-push+9.0.1", [4], "1 device reported"),
        ("app=3.0.0&show=active&label=store", [3], "Devices that run the store bundle now, on app version 3.0.0<"),
        ("app=3.0.0&show=installs&label=v1", [0, 1, 2], "Devices that installed v1, on app version 3.0.0<"),
        ("app=3.0&show=installs&label=v1", [], "No devices match."),
        ("app=3.0&q=device+4", [4], ", on app version 3.0<"),
        ("app=9.9&library=none", [0, 1, 2, 3, 4, 5], "6 devices reported"),
    ],
)
def test_the_list_is_narrowed_to_an_app_version_or_a_client_library(
    as_user: AsUser, viewer: User, build: Build, query: str, expected: list[int], words: str
) -> None:
    page = text_of(as_user(viewer).get(devices_url(build, query)))
    assert [n for n in range(6) if name_of(f"device {n}") in page] == expected
    assert words in page
    exported = read_csv(as_user(viewer).get(build_url(build, f"devices.csv?{query}")))
    assert {row["device"] for row in exported} == {str(hash_client(f"device {n}")) for n in expected}


@pytest.mark.usefixtures("mixture")
def test_each_device_says_what_it_is_on_the_page_and_in_the_export(as_user: AsUser, viewer: User, build: Build) -> None:
    page = text_of(as_user(viewer).get(devices_url(build)))
    assert page.count('data-l="App">Android 3.0.0<') == 4
    assert page.count('data-l="App">Android 3.0<') == 2
    rows = {row["device"]: row for row in read_csv(as_user(viewer).get(build_url(build, "devices.csv")))}
    row = rows[str(hash_client("device 5"))]
    assert (row["platform"], row["app_version"]) == ("android", "3.0")
    assert (row["plugin_name"], row["plugin_version"], row["sdk_version"]) == (
        "react-native-code-push",
        "8.2.1",
        "4.2.3",
    )
    device = text_of(as_user(viewer).get(device_url(build, "device 5")))
    assert "react-native-code-push 8.2.1, SDK 4.2.3<" in device


@pytest.mark.usefixtures("mixture")
def test_devices_are_counted_by_what_they_say_that_they_are(as_user: AsUser, viewer: User, build: Build) -> None:
    page = as_user(viewer).get(devices_url(build))
    counted = {(one.app_version, one.library): one.devices for one in page.context["software"]}
    newer, older = "react-native-code-push 9.0.1", "react-native-code-push 8.2.1"
    assert counted == {("3.0.0", ""): 3, ("3.0.0", newer): 1, ("3.0", newer): 1, ("3.0", older): 1}
    assert "App versions and client libraries" in text_of(page)
