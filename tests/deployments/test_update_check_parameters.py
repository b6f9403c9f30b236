"""How an update check may be asked: two addresses, two spellings, and the methods of HTTP."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builds.models import Build
from deployments.models import CodePush
from tests.deployments.answers import assert_no_update, assert_refused, bundle_of
from tests.devices import V01, Device, send
from tests.factories import CodePushFactory


@pytest.mark.parametrize(
    "path", [f"{V01}/update_check", f"{V01}/update_check/", "/api/updateCheck", "/api/updateCheck/"]
)
@pytest.mark.parametrize(
    "query",
    [
        "deployment_key={key}&app_version=3.0.0",
        "deploymentKey={key}&appVersion=3.0.0",
        "app_version=3.0.0&deploymentKey={key}&unknown=1&x",
        "deployment_key=%20{key}%20&app_version=3.0.0",
        # Of a repeated parameter the first counts; camelCase wins over snake_case unless it is empty.
        "deployment_key={key}&deployment_key=another-one&app_version=3.0.0&app_version=9.0.0",
        "deployment_key=another-one&deploymentKey={key}&app_version=9.0.0&appVersion=3.0.0",
        "deployment_key={key}&deploymentKey=&app_version=3.0.0&appVersion=",
    ],
)
def test_both_addresses_take_both_spellings(codepush: CodePush, path: str, query: str) -> None:
    reply = send("GET", path, query=query.format(key=codepush.build.deployment_key))
    assert (reply.status, reply.update["label"]) == (200, "v1")


@pytest.mark.parametrize("name", ["is_companion", "isCompanion"])
@pytest.mark.parametrize(("value", "label"), [("true", "v1"), ("TRUE", "v1"), ("1", ""), ("false", ""), ("", "")])
def test_a_companion_ignores_the_version(device: Device, codepush: CodePush, name: str, value: str, label: str) -> None:
    device.app_version = "9.0.0"
    assert device.check({name: value}).update["label"] == label


@pytest.mark.parametrize("name", ["package_hash", "packageHash"])
def test_the_package_hash_is_read_in_both_spellings(device: Device, codepush: CodePush, name: str) -> None:
    assert_no_update(device.check({name: bundle_of(codepush).package_hash}))


@pytest.mark.parametrize("name", ["client_unique_id", "clientUniqueId"])
def test_the_client_id_is_read_in_both_spellings(device: Device, build: Build, name: str) -> None:
    CodePushFactory(build=build, rollout_percent=99)
    device.client_unique_id = None
    # One of several devices at least is in; without an id none is.
    assert any(device.check({name: f"phone-{number}"}).update["is_available"] for number in range(5))
    assert_no_update(device.check(), should_run_binary_version=True)


def test_head_has_the_headers_of_get_and_no_body(device: Device, codepush: CodePush) -> None:
    got, asked = device.check(), device.check(method="HEAD")
    assert (asked.status, asked.headers, asked.body) == (200, got.headers, b"")


def test_a_preflight_is_answered(device: Device) -> None:
    reply = device.ask("", "OPTIONS")
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "GET" in reply.headers["access-control-allow-methods"]
    assert "X-CodePush-SDK-Version" in reply.headers["access-control-allow-headers"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_another_method_is_refused(device: Device, method: str) -> None:
    reply = device.ask("", method)
    assert_refused(reply, 405, "Use GET")
    assert reply.headers["allow"] == "GET, HEAD"


_KEYS = "deployment_key= deploymentKey={key} deployment_key={key}"
_OTHERS = "app_version app_version=3.0.0 appVersion=1 package_hash=a=b label=v1 label client_unique_id=phone ="
pieces = st.sampled_from(["", *_KEYS.split(), *_OTHERS.split()])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(pieces, max_size=10))
def test_a_query_without_anything_to_decode_means_the_same_as_one_with(
    device: Device, codepush: CodePush, sent: list[str]
) -> None:
    """The first kind is read in a way of its own."""
    plain = "&".join(["", *sent]).replace("{key}", device.key)
    path = f"{V01}/update_check"
    assert send("GET", path, query=plain).text == send("GET", path, query=f"{plain}&nothing=%20").text
