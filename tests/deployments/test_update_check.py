"""GET update_check on the wire. Each case changes one thing and calls one of three helpers."""

from urllib.parse import quote

import pytest
from django.db import OperationalError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import DjangoAssertNumQueries

from builds.models import Build
from deployments import snapshots
from deployments.models import BundleDiff, CodePush
from tests.deployments.answers import NO_UPDATE, assert_no_update, assert_offered, assert_refused, bundle_of
from tests.devices import V01, Device, send
from tests.factories import BundleFactory, CodePushFactory


def test_an_update_is_offered_with_every_field(device: Device, codepush: CodePush) -> None:
    assert_offered(device.check(), codepush)


def test_the_first_sdks_get_their_own_spelling(device: Device, codepush: CodePush) -> None:
    device.is_legacy = True
    assert device.check().json == {
        "updateInfo": {
            "isAvailable": True,
            "isMandatory": False,
            "downloadURL": f"http://testserver/api/bundles/{bundle_of(codepush).storage_name}",
            "description": "Fixes “Basket”",
            "label": "v1",
            "packageHash": bundle_of(codepush).package_hash,
            "packageSize": 1000,
            "appVersion": "3.0.0",
            "target_binary_range": "3.0.0",
            "updateAppVersion": False,
            "shouldRunBinaryVersion": False,
        }
    }


def test_without_an_update_every_field_is_there_too(device: Device) -> None:
    assert_no_update(device.check(), should_run_binary_version=True)


def test_the_first_sdks_get_every_field_without_an_update_too(device: Device) -> None:
    device.is_legacy = True
    assert len(device.check().update) == len(NO_UPDATE)


def test_a_mandatory_update_says_so(device: Device, build: Build) -> None:
    codepush = CodePushFactory(build=build, is_mandatory=True)
    assert_offered(device.check(), codepush, is_mandatory=True)


def test_an_empty_description_is_an_empty_text(device: Device, build: Build) -> None:
    codepush = CodePushFactory(build=build, description="")
    assert_offered(device.check(), codepush)


def test_who_runs_the_update_is_offered_nothing(device: Device, codepush: CodePush) -> None:
    device.label, device.package_hash = "v1", bundle_of(codepush).package_hash
    assert_no_update(device.check())


def test_an_older_binary_is_sent_to_the_store(device: Device, codepush: CodePush) -> None:
    device.app_version = "2.0.0"
    assert_no_update(
        device.check(),
        update_app_version=True,
        should_run_binary_version=True,
        app_version="3.0.0",
        target_binary_range="3.0.0",
    )


def test_a_newer_binary_runs_its_own_bundle(device: Device, codepush: CodePush) -> None:
    device.app_version = "4.0.0"
    assert_no_update(device.check(), should_run_binary_version=True, app_version="3.0.0", target_binary_range="3.0.0")


@pytest.mark.parametrize("app_version", ["3", "3.0", "3.0.0", "v3.0.0", " 3.0.0 ", "3.0.0+7"])
def test_the_version_of_the_device_is_echoed_byte_for_byte(
    device: Device, codepush: CodePush, app_version: str
) -> None:
    device.app_version = app_version
    assert_offered(device.check(), codepush, app_version=app_version, target_binary_range=app_version)


# What is refused.


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "deployment key"),
        ("app_version=3.0.0", "deployment key"),
        ("deployment_key=&app_version=3.0.0", "deployment key"),
        ("deployment_key=too-short&app_version=3.0.0", "deployment key"),
        (f"deployment_key={'k' * 101}&app_version=3.0.0", "deployment key"),
        ("deployment_key=with%20a%20blank&app_version=3.0.0", "deployment key"),
        ("deployment_key=%C3%A4%C3%B6%C3%BCdeployment&app_version=3.0.0", "deployment key"),
        ("deployment_key=nul%00nul-nul-nul&app_version=3.0.0", "deployment key"),
        ("deployment_key=short&app_version=abc", "deployment key"),
        ("deployment_key=a-well-formed-key", "binary version"),
        ("deployment_key=a-well-formed-key&app_version=", "binary version"),
        ("deployment_key=a-well-formed-key&app_version=abc", "binary version"),
        ("deployment_key=a-well-formed-key&app_version=3.0.0.0", "binary version"),
        ("deployment_key=a-well-formed-key&app_version=03.0.0", "binary version"),
        ("deployment_key=a-well-formed-key&app_version=1.0.0-" + "9" * 5000, "binary version"),
        ("&".join(["a=1"] * 51), "too many parameters"),
    ],
)
def test_a_query_that_cannot_be_read_is_400_before_anything_is_looked_up(
    query: str, words: str, django_assert_num_queries: DjangoAssertNumQueries, db: None
) -> None:
    for path in (f"{V01}/update_check", "/api/updateCheck"):
        with django_assert_num_queries(0):
            assert_refused(send("GET", path, query=query), 400, words)


def test_an_unknown_key_is_404(db: None) -> None:
    assert_refused(Device("a-well-formed-key").check(), 404, "Not Found")


@pytest.mark.parametrize("path", ["/api/v0.1/public/codepush/nothing", "/api/updatecheck", "/api/v0.1/public/codepush"])
def test_no_other_address_is_an_update_check(db: None, path: str) -> None:
    assert send("GET", path).status == 404


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "deployment_key",
                    "deploymentKey",
                    "app_version",
                    "appVersion",
                    "label",
                    "package_hash",
                    "is_companion",
                ]
            )
            | st.text(),
            st.sampled_from(["a-well-formed-key", "KEY", "3.0.0", "3.0", "v1", "true", ""]) | st.text(),
        ),
        max_size=8,
    ),
    st.text("%&=+;?#abc019\x00 ", max_size=10),
)
def test_any_query_is_answered_or_refused(codepush: CodePush, pairs: list[tuple[str, str]], junk: str) -> None:
    key = codepush.build.deployment_key
    quoted = [
        f"{quote(name, errors='replace')}={quote(key if value == 'KEY' else value, errors='replace')}"
        for name, value in pairs
    ]
    reply = send("GET", f"{V01}/update_check", query="&".join([*quoted, junk]))
    assert reply.status in (200, 400, 404)


# What it costs.


def test_a_cold_check_costs_two_queries_and_a_warm_one_none(
    device: Device, codepush: CodePush, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    BundleDiff.objects.create(
        from_bundle=BundleFactory(), to_bundle=bundle_of(codepush), storage_name=f"{'d' * 64}.zip", size_bytes=1
    )
    # The build with all its successes; the updates on offer with their bundles and diffs.
    with django_assert_num_queries(2):
        device.check(refresh=False)
    with django_assert_num_queries(0):
        device.check(refresh=False)


def test_a_cold_check_costs_two_queries_however_long_the_history(
    device: Device, build: Build, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for percent in (100, 50, 20, 10):
        CodePushFactory.create_batch(5, build=build, rollout_percent=percent)
    with django_assert_num_queries(2):
        device.check(refresh=False)


def test_a_cold_check_of_a_build_without_updates_costs_one_query(
    device: Device, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # The build, without successes: nothing to look up further.
    with django_assert_num_queries(1):
        device.check(refresh=False)


def test_an_unknown_key_costs_one_query_and_then_none(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    stranger = Device("a-well-formed-key")
    with django_assert_num_queries(1):
        stranger.check(refresh=False)
    with django_assert_num_queries(0):
        stranger.check(refresh=False)


# While the database is away.


def _fail(deployment_key: str) -> None:
    raise OperationalError("The database is away.")


def test_a_cold_check_says_when_to_come_back_while_the_database_is_away(
    device: Device, codepush: CodePush, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "build_snapshot", _fail)
    reply = device.check(refresh=False)
    assert_refused(reply, 503, "Try again later.")
    assert reply.headers["retry-after"] == "5"


def test_warm_answers_stay_while_the_database_is_away(
    device: Device, codepush: CodePush, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.check()
    monkeypatch.setattr(snapshots, "build_snapshot", _fail)
    snapshots.store.reread([device.key])
    assert_offered(device.check(refresh=False), codepush)


def test_a_fault_of_ours_is_500_and_in_the_log(
    device: Device, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(snapshots, "build_snapshot", lambda key: 1 / 0)
    assert_refused(device.check(refresh=False), 500, "The server made a mistake")
    assert "ZeroDivisionError" in caplog.text
