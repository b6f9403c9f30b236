"""GET update_check, in both spellings: parse → snapshot → decide → JSON. No ORM, no Django request.

Wire names stand here and in docs/protocol.md.
"""

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import parse_qsl

from deployments import bundle_storage, snapshots
from deployments.bundles.patch import PATCH_FORMAT
from deployments.device_http import JSON, Answer, Environ, WsgiApp, answer, device_endpoint, text, unavailable
from deployments.policy.decision import decide
from deployments.policy.types import Decision, Reason, Snapshot, UpdateQuery
from deployments.policy.version_range import find_version
from deployments.repeated_questions import RepeatedQuestions
from telemetry import measures
from telemetry.settings_once import settings_once

_KEY = re.compile(r"[A-Za-z0-9_-]{10,100}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+", re.ASCII)
_MAX_PARAMETERS = 50
_UNKNOWN_KEY = text(HTTPStatus.NOT_FOUND, "Not Found: no build has this deployment key.", outcome="unknown_key")
_ID_NAMES = frozenset({"client_unique_id", "clientUniqueId"})


class QueryRefused(ValueError):
    """The update check cannot be read (400)."""


def parse_query(query_string: str) -> UpdateQuery:
    """What the device asks. The key is checked before the version. Raises QueryRefused with a sentence."""
    sent = _read_parameters(query_string)
    deployment_key = (sent.get("deploymentKey") or sent.get("deployment_key") or "").strip()
    if not _KEY.fullmatch(deployment_key):
        raise QueryRefused("An update check must include a valid deployment key (10-100 letters, digits, - or _).")
    app_version = sent.get("appVersion") or sent.get("app_version") or ""
    version = find_version(app_version)
    if version is None:
        raise QueryRefused("An update check must include a binary version that conforms to semver, such as 3.0.0.")
    return UpdateQuery(
        deployment_key=deployment_key,
        app_version=app_version,
        version=version,
        package_hash=sent.get("packageHash") or sent.get("package_hash") or "",
        label=sent.get("label", ""),
        client_unique_id=sent.get("clientUniqueId") or sent.get("client_unique_id") or "",
        is_companion=(sent.get("isCompanion") or sent.get("is_companion") or "").lower() == "true",
        accepts_patches=(sent.get("patchFormat") or sent.get("patch_format")) == PATCH_FORMAT,
    )


def _read_parameters(query_string: str) -> dict[str, str]:
    """Of a repeated parameter the first counts. Raises QueryRefused."""
    if query_string.count("&") >= _MAX_PARAMETERS:
        raise QueryRefused("The query string has too many parameters.")
    if "%" in query_string or "+" in query_string:
        return dict(reversed(parse_qsl(query_string, keep_blank_values=True)))
    # Nothing to decode, as in nearly every check: a quarter of the time.
    sent: dict[str, str] = {}
    for parameter in query_string.split("&"):
        name, _, value = parameter.partition("=")
        sent.setdefault(name, value)
    return sent


def describe_update(decision: Decision, base_url: str) -> dict[str, object]:
    """The fields of `update_info`; an offer echoes the device's own version string.

    All are always present, but for `patch_format`, which no client sees that did not ask for it.
    """
    offer, download = decision.offer, decision.download
    as_patch = {"patch_format": PATCH_FORMAT} if decision.reason == Reason.OFFERED_PATCH else {}
    return {
        "is_available": offer is not None,
        "is_mandatory": decision.is_mandatory,
        "download_url": bundle_storage.download_address(download.storage_name, base_url) if download else "",
        "description": offer.description if offer else "",
        "label": offer.label if offer else "",
        "package_hash": offer.package_hash if offer else "",
        "package_size": download.size_bytes if download else 0,
        "app_version": decision.app_version,
        "target_binary_range": decision.app_version,
        "update_app_version": decision.update_app_version,
        "should_run_binary_version": decision.should_run_binary_version,
        **as_patch,
    }


# The spelling of the first SDKs. target_binary_range was added later and is the same in both.
_LEGACY_NAMES = {
    "is_available": "isAvailable",
    "is_mandatory": "isMandatory",
    "download_url": "downloadURL",
    "package_hash": "packageHash",
    "package_size": "packageSize",
    "app_version": "appVersion",
    "update_app_version": "updateAppVersion",
    "should_run_binary_version": "shouldRunBinaryVersion",
    "patch_format": "patchFormat",
}


def describe_answer(decision: Decision, base_url: str, *, is_legacy: bool) -> dict[str, object]:
    """The JSON object that a device gets."""
    update = describe_update(decision, base_url)
    if is_legacy:
        return {"updateInfo": {_LEGACY_NAMES.get(name, name): value for name, value in update.items()}}
    return {"update_info": update}


@dataclass(frozen=True, slots=True)
class _Spelling:
    """One of the two addresses: what the answer looks like, and where the SDKs for it put the device's own id."""

    is_legacy: bool
    # The last parameter. What stands before it is the same for all devices of a kind.
    id_mark: str
    repeated: RepeatedQuestions = field(default_factory=RepeatedQuestions)


def _answer(environ: Environ, spelling: _Spelling) -> Answer:
    query_string: str = environ.get("QUERY_STRING", "")
    base_url = find_base_url(environ)
    prefix, _, client_unique_id = query_string.rpartition(spelling.id_mark)
    if (answer_before := spelling.repeated.find(base_url, prefix, client_unique_id)) is not None:
        return answer_before
    try:
        query = parse_query(query_string)
        snapshot = snapshots.store.get(query.deployment_key)
    except QueryRefused as refusal:
        return text(HTTPStatus.BAD_REQUEST, str(refusal), outcome="malformed")
    except snapshots.SnapshotUnavailable:
        return unavailable()
    if snapshot is None:
        return _UNKNOWN_KEY
    said = _decide_answer(snapshot, query, base_url, is_legacy=spelling.is_legacy)
    # An id in the prefix may count in place of the last one, or not.
    if _ID_NAMES.isdisjoint(_read_parameters(prefix)):
        spelling.repeated.remember(base_url, prefix, client_unique_id, snapshot, said)
    return said


def _decide_answer(snapshot: Snapshot, query: UpdateQuery, base_url: str, *, is_legacy: bool) -> Answer:
    decision = decide(snapshot, query)
    body = describe_answer(decision, base_url, is_legacy=is_legacy)
    return answer(
        HTTPStatus.OK,
        json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        JSON,
        # The reason answers "why did this phone get that?" from any packet capture.
        ("Cache-Control", "no-cache"),
        ("X-CodePush-Reason", decision.reason.value),
        outcome=decision.reason.value,
    )


def find_base_url(environ: Environ) -> str:
    """This server's address as the device sees it: PUBLIC_URL, else what the device called it."""
    if settings_once.PUBLIC_URL:
        return str(settings_once.PUBLIC_URL)
    return _find_called(environ["wsgi.url_scheme"], environ.get("HTTP_HOST", "")) or (
        f"{environ['wsgi.url_scheme']}://{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    )


# Of the few names that a server has, each is looked at once.
@lru_cache(maxsize=100)
def _find_called(scheme: str, host: str) -> str:
    return f"{scheme}://{host}" if _HOST.fullmatch(host) else ""


def _count(said: Answer) -> Answer:
    measures.update_checks.add(said.outcome)
    return said


_V01 = _Spelling(is_legacy=False, id_mark="&client_unique_id=")
_LEGACY = _Spelling(is_legacy=True, id_mark="&clientUniqueId=")


@device_endpoint("GET")
def check_update(environ: Environ) -> Answer:
    return _count(_answer(environ, _V01))


@device_endpoint("GET")
def check_update_legacy(environ: Environ) -> Answer:
    return _count(_answer(environ, _LEGACY))


ROUTES: dict[str, WsgiApp] = {
    "/api/v0.1/public/codepush/update_check": check_update,
    "/api/updateCheck": check_update_legacy,
}
