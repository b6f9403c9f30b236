"""Reading the reports that devices send. Pure: bytes in, a `DeviceReport` or a sentence out.

Source: docs/protocol.md, "Reports". Both spellings of every field are read on both paths.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self
from urllib.parse import parse_qsl

# Larger than any honest report, smaller than what could hurt.
MAX_BODY_BYTES = 10_000
_MAX_TEXT_LENGTH = 64
_MAX_KEY_LENGTH = 100
# What is read of a report: name, the same in camelCase, and how long it may be.
_FIELDS = (
    ("deployment_key", "deploymentKey", _MAX_KEY_LENGTH),
    ("app_version", "appVersion", _MAX_TEXT_LENGTH),
    ("client_unique_id", "clientUniqueId", 128),
    ("label", "label", _MAX_TEXT_LENGTH),
    ("status", "status", _MAX_TEXT_LENGTH),
    ("previous_deployment_key", "previousDeploymentKey", _MAX_KEY_LENGTH),
    ("previous_label_or_app_version", "previousLabelOrAppVersion", _MAX_TEXT_LENGTH),
)
_OLDEST_ANONYMOUS_SDK = (1, 5, 2)


class ReportEvent(StrEnum):
    """What a report says happened. The wire's names are in `_STATUS`."""

    DOWNLOADED = "downloaded"
    INSTALLED = "installed"
    FALLBACK = "fallback"
    BINARY_STARTED = "binary_started"


_STATUS = {
    "DeploymentSucceeded": ReportEvent.INSTALLED,
    "DeploymentFailed": ReportEvent.FALLBACK,
    "Downloaded": ReportEvent.DOWNLOADED,
}


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """One report. Absent values are ""."""

    event: ReportEvent
    deployment_key: str
    client_unique_id: str = ""
    label: str = ""
    app_version: str = ""
    previous_deployment_key: str = ""
    previous_label_or_app_version: str = ""
    sdk_version: str = ""
    plugin_name: str = ""
    plugin_version: str = ""

    def sent_by(self, plugin_name: str, plugin_version: str) -> Self:
        """The same report, with the client library that the headers name."""
        return replace(
            self, plugin_name=plugin_name[:_MAX_TEXT_LENGTH], plugin_version=plugin_version[:_MAX_TEXT_LENGTH]
        )


class ReportRefused(ValueError):
    """The report cannot be read (400). The message is for the developer of the app, who sees it in the SDK's log."""


def parse_deploy_report(body: bytes, content_type: str, sdk_version: str) -> DeviceReport:
    """What runs on the device now: an update (or its failure), or the bundle of a new binary. Raises ReportRefused."""
    fields = _read_fields(body, content_type)
    if not fields["deployment_key"] or not fields["app_version"]:
        raise ReportRefused("A deploy status report needs a deployment key and an app version.")
    if not fields["client_unique_id"] and not _may_be_anonymous(sdk_version):
        raise ReportRefused(
            "A deploy status report needs a client unique id, or an SDK of version 1.5.2-beta or later."
        )
    status = fields.pop("status")
    if not fields["label"]:
        event = ReportEvent.BINARY_STARTED
    elif not status:
        raise ReportRefused("A deploy status report with a label needs a status.")
    elif status not in _STATUS:
        raise ReportRefused(f"Invalid status: {status[:_MAX_TEXT_LENGTH]}")
    else:
        event = _STATUS[status]
    return DeviceReport(event, sdk_version=sdk_version[:_MAX_TEXT_LENGTH], **fields)


def parse_download_report(body: bytes, content_type: str, sdk_version: str) -> DeviceReport:
    """The device has downloaded an update. Raises ReportRefused."""
    fields = _read_fields(body, content_type)
    if not fields["deployment_key"] or not fields["label"]:
        raise ReportRefused("A download status report needs a deployment key and a label.")
    del fields["status"]
    return DeviceReport(ReportEvent.DOWNLOADED, sdk_version=sdk_version[:_MAX_TEXT_LENGTH], **fields)


def _read_fields(body: bytes, content_type: str) -> dict[str, str]:
    sent = _read_form(body) if content_type.startswith("application/x-www-form-urlencoded") else _read_json(body)
    fields = {name: _read_text(sent, name, camel_case, length) for name, camel_case, length in _FIELDS}
    # Without the blanks that update checks ignore too: both must mean the same build.
    for name in ("deployment_key", "previous_deployment_key"):
        fields[name] = fields[name].strip()
    return fields


def _read_json(body: bytes) -> Mapping[str, object]:
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ReportRefused("The report is not valid JSON.") from error
    if not isinstance(sent, dict):
        raise ReportRefused("The report is not a JSON object.")
    return sent


def _read_form(body: bytes) -> Mapping[str, object]:
    try:
        pairs = parse_qsl(body.decode(), max_num_fields=100)
    except ValueError as error:
        raise ReportRefused("The report is not valid form data.") from error
    # Of a repeated field the first counts.
    return dict(reversed(pairs))


def _read_text(sent: Mapping[str, object], name: str, camel_case: str, max_length: int) -> str:
    """The value in either spelling; camelCase wins when both are given."""
    value = sent.get(camel_case) or sent.get(name) or ""
    if not isinstance(value, str):
        raise ReportRefused(f"{name} is not a text.")
    if len(value) > max_length:
        raise ReportRefused(f"{name} is longer than {max_length} characters.")
    if value.isascii() and "\0" not in value:
        return value
    # A lone surrogate or a NUL can be written in JSON, but not stored.
    return value.encode("utf-8", "replace").decode().replace("\0", "")


def _may_be_anonymous(sdk_version: str) -> bool:
    match = re.match(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})", sdk_version)
    return match is not None and tuple(map(int, match.groups())) >= _OLDEST_ANONYMOUS_SDK
