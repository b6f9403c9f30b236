"""POST report_status on the wire: what is taken and kept, and what is refused with which sentence."""

import json
import threading
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics import device_api
from metrics.aggregation import apply_waiting_reports
from metrics.models import ReportLogEntry
from tests.devices import V01, Device, Reply, send

pytestmark = pytest.mark.django_db

SUCCESS = {
    "deployment_key": "a-well-formed-key",
    "app_version": "3.0.0",
    "client_unique_id": "phone-1",
    "label": "v2",
    "status": "DeploymentSucceeded",
    "previous_label_or_app_version": "v1",
    "previous_deployment_key": "the-key-before",
}
NEW_BINARY = {name: SUCCESS[name] for name in ("deployment_key", "app_version", "client_unique_id")}
DOWNLOAD = {name: SUCCESS[name] for name in ("deployment_key", "client_unique_id", "label")}


def post(kind: str, body: object, *, is_legacy: bool = False, sdk: str = "4.2.3", **headers: str) -> Reply:
    path = f"/api/reportStatus/{kind}" if is_legacy else f"{V01}/report_status/{kind}"
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return send("POST", path, body=sent, headers={"X-CodePush-SDK-Version": sdk, **headers})


def kept() -> list[dict[str, Any]]:
    """What the log held, oldest first, without what is empty."""
    apply_waiting_reports()
    rows: list[dict[str, Any]] = [{**row} for row in ReportLogEntry.objects.order_by("id").values()]
    return [
        {name: row[name] for name in row if name not in ("id", "received_at", "is_applied") and row[name]}
        for row in rows
    ]


def assert_taken(reply: Reply, **expected: str) -> None:
    assert (reply.status, reply.text) == (200, "OK")
    assert reply.headers["content-type"].startswith("text/plain")
    assert reply.headers["cache-control"] == "no-store"
    assert kept() == [{"sdk_version": "4.2.3", **expected}]


def assert_refused(reply: Reply, status: int, words: str) -> None:
    assert (reply.status, words in reply.text) == (status, True), reply.text
    assert kept() == []


def without(body: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in body.items() if name not in names}


@pytest.mark.parametrize(
    ("status", "event"),
    [("DeploymentSucceeded", "installed"), ("DeploymentFailed", "fallback"), ("Downloaded", "downloaded")],
)
def test_a_deploy_report_is_kept(status: str, event: str) -> None:
    assert_taken(post("deploy", {**SUCCESS, "status": status}), event=event, **without(SUCCESS, "status"))


def test_a_new_binary_is_kept() -> None:
    assert_taken(post("deploy", NEW_BINARY), event="binary_started", **NEW_BINARY)


def test_a_download_is_kept() -> None:
    assert_taken(post("download", DOWNLOAD), event="downloaded", **DOWNLOAD)


def test_a_download_without_a_client_id_is_kept() -> None:
    body = without(DOWNLOAD, "client_unique_id")
    assert_taken(post("download", body), event="downloaded", **body)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


@pytest.mark.parametrize("is_legacy", [False, True])
@pytest.mark.parametrize("spelling", [str, camel])
@pytest.mark.parametrize("encode", [json.dumps, urlencode])
def test_both_addresses_take_both_spellings_and_forms(is_legacy: bool, spelling: Any, encode: Any) -> None:
    body = encode({spelling(name): value for name, value in SUCCESS.items()}).encode()
    content_type = "application/json" if encode is json.dumps else "application/x-www-form-urlencoded; charset=utf-8"
    reply = post("deploy", body, is_legacy=is_legacy, Content_Type=content_type)
    assert_taken(reply, event="installed", **without(SUCCESS, "status"))


@pytest.mark.parametrize(
    "also",
    [
        {"deploymentKey": "", "unknown": [1, {}]},
        {"deployment_key": "another", "deploymentKey": "a-well-formed-key"},
        {"deployment_key": " a-well-formed-key "},
        {"label": None, "status": None},
    ],
)
def test_what_means_the_same_is_taken_as_the_same(also: dict[str, Any]) -> None:
    assert_taken(post("deploy", {**NEW_BINARY, **also}), event="binary_started", **NEW_BINARY)


def test_of_a_repeated_field_the_first_counts() -> None:
    body = urlencode([*NEW_BINARY.items(), ("app_version", "9.9.9")]).encode()
    reply = post("deploy", body, Content_Type="application/x-www-form-urlencoded")
    assert_taken(reply, event="binary_started", **NEW_BINARY)


def test_what_no_database_stores_is_replaced_in_what_is_kept() -> None:
    assert_taken(
        post("deploy", {**NEW_BINARY, "app_version": "3\0.0\ud800"}),
        event="binary_started",
        **{**NEW_BINARY, "app_version": "3.0?"},
    )


REFUSED: dict[str, tuple[str, object, str]] = {
    "no-key": ("deploy", without(SUCCESS, "deployment_key"), "needs a deployment key and an app version"),
    "no-version": ("deploy", without(SUCCESS, "app_version"), "needs a deployment key and an app version"),
    "no-status": ("deploy", without(SUCCESS, "status"), "with a label needs a status"),
    "other-status": ("deploy", {**SUCCESS, "status": "Exploded"}, "Invalid status: Exploded"),
    "download-without-key": ("download", without(DOWNLOAD, "deployment_key"), "needs a deployment key and a label"),
    "download-without-label": ("download", without(DOWNLOAD, "label"), "needs a deployment key and a label"),
    "number": ("deploy", {**SUCCESS, "label": 2}, "label is not a text"),
    "list": ("deploy", {**SUCCESS, "app_version": ["3.0.0"]}, "app_version is not a text"),
    "long-key": ("deploy", {**SUCCESS, "deployment_key": "k" * 101}, "deployment_key is longer than 100"),
    "long-version": ("deploy", {**SUCCESS, "app_version": "3" * 65}, "app_version is longer than 64"),
    "long-label": ("download", {**DOWNLOAD, "label": "v" * 65}, "label is longer than 64"),
    "long-client": ("deploy", {**SUCCESS, "client_unique_id": "c" * 129}, "client_unique_id is longer than 128"),
    "not-json": ("deploy", b"{'deployment_key'", "not valid JSON"),
    "no-body": ("deploy", b"", "not valid JSON"),
    "cut-utf-8": ("download", b'{"label": "\xc3', "not valid JSON"),
    "nested": ("deploy", b"[" * 9_999, "not valid JSON"),
    "huge-number": ("deploy", b"9" * 9_999, "not valid JSON"),
    "json-list": ("deploy", b"[]", "not a JSON object"),
    "json-text": ("download", b'"label"', "not a JSON object"),
}


@pytest.mark.parametrize(("kind", "body", "words"), REFUSED.values(), ids=REFUSED)
def test_a_report_that_cannot_be_read_is_400_and_not_kept(kind: str, body: object, words: str) -> None:
    assert_refused(post(kind, body), 400, words)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"&".join([b"a=1"] * 101)], ids=["not-utf-8", "many-fields"])
def test_form_data_that_cannot_be_read_is_400(body: bytes) -> None:
    reply = post("deploy", body, Content_Type="application/x-www-form-urlencoded")
    assert_refused(reply, 400, "not valid form data")


@pytest.mark.parametrize(
    ("sdk", "status"),
    [("", 400), ("1.5.1", 400), ("0.9.9", 400), ("new", 400), ("1.5.2-beta", 200), ("1.5.2", 200), ("10.0.0", 200)],
)
def test_only_new_sdks_may_leave_out_the_client_id(sdk: str, status: int) -> None:
    assert post("deploy", without(SUCCESS, "client_unique_id"), sdk=sdk).status == status
    assert len(kept()) == (status == 200)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b" " * 10_001, {}),
        (b"{}", {"Content-Length": "10001"}),
        (b"{}", {"Content-Length": "\xb2"}),
        (b"{}", {"Content-Length": "9" * 5000}),
    ],
)
def test_a_report_that_is_too_large_is_413_and_not_read(body: bytes, headers: dict[str, Any]) -> None:
    assert_refused(post("deploy", body, **headers), 413, "10000 bytes at most")


def test_a_report_of_10_kb_is_read() -> None:
    body = json.dumps(NEW_BINARY).encode()
    assert_taken(post("deploy", body.ljust(10_000)), event="binary_started", **NEW_BINARY)


@pytest.mark.parametrize("kind", ["deploy", "download"])
def test_another_method_is_refused(kind: str) -> None:
    reply = send("GET", f"{V01}/report_status/{kind}")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


def test_the_same_report_twice_is_taken_twice(device: Device) -> None:
    """The SDK sends again what it had no answer to. The counts are of devices, so nothing is lost or doubled."""
    assert [device.report_download("v1").status for _ in range(2)] == [200, 200]
    assert len(kept()) == 2


texts = st.one_of(st.none(), st.text(max_size=130), st.integers(), st.sampled_from(["v1", "3.0.0", "DeploymentFailed"]))
bodies = st.dictionaries(st.sampled_from([*SUCCESS, *map(camel, SUCCESS)]), texts, max_size=8)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["deploy", "download"]), st.one_of(bodies.map(lambda body: json.dumps(body).encode()), st.binary())
)
def test_any_body_is_taken_or_refused(kind: str, body: bytes) -> None:
    for content_type in ("application/json", "application/x-www-form-urlencoded"):
        assert post(kind, body, Content_Type=content_type).status in (200, 400)


def test_a_slow_log_holds_no_more_threads_than_are_meant_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Update checks need the others; the SDK sends the report again."""
    monkeypatch.setattr(device_api, "_appends", threading.BoundedSemaphore(1))
    with device_api._appends:
        reply = post("deploy", SUCCESS)
    assert (reply.status, reply.headers["retry-after"]) == (503, "5")
    assert post("deploy", SUCCESS).status == 200
