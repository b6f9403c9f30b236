"""POST report_status, in both spellings: parse → append → 200. A report is acknowledged only once it is durable."""

import threading
from collections.abc import Callable
from http import HTTPStatus

from deployments import device_limits
from deployments.device_http import Answer, Environ, WsgiApp, device_endpoint, text, unavailable
from metrics import report_log
from metrics.reports import (
    MAX_BODY_BYTES,
    DeviceReport,
    ReportRefused,
    parse_deploy_report,
    parse_download_report,
)
from telemetry import measures

# Half of the threads of a web process (Procfile): should the log be slow, the others are there for update checks. A
# device that is told to come back sends its report again. One append more waits so long, which is several of them.
_APPEND_WAIT_SECONDS = 0.05
_appends = threading.BoundedSemaphore(16)

_TAKEN = text(HTTPStatus.OK, "OK", ("Cache-Control", "no-store"), outcome="taken")


def _take(environ: Environ, parse: Callable[[bytes, str, str], DeviceReport]) -> Answer:
    said = _append(environ, parse)
    measures.reports.add(said.outcome)
    return said


def _append(environ: Environ, parse: Callable[[bytes, str, str], DeviceReport]) -> Answer:
    length = environ.get("CONTENT_LENGTH") or "0"
    # By digits first: int() refuses thousands of them.
    if not length.isdecimal() or len(length) > 9 or int(length) > MAX_BODY_BYTES:
        return text(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A report has {MAX_BODY_BYTES} bytes at most.", outcome="too_large"
        )
    body = environ["wsgi.input"].read(int(length))
    try:
        report = parse(body, environ.get("CONTENT_TYPE", ""), environ.get("HTTP_X_CODEPUSH_SDK_VERSION", ""))
        plugin = (environ.get("HTTP_X_CODEPUSH_PLUGIN_NAME", ""), environ.get("HTTP_X_CODEPUSH_PLUGIN_VERSION", ""))
        report = report.sent_by(*plugin) if any(plugin) else report
        if not device_limits.allows_report(environ, report.deployment_key):
            return device_limits.too_many()
        if not _appends.acquire(timeout=_APPEND_WAIT_SECONDS):
            return unavailable()
        try:
            report_log.append(report)
        finally:
            _appends.release()
    except ReportRefused as refusal:
        return text(HTTPStatus.BAD_REQUEST, str(refusal), outcome="malformed")
    except report_log.LogUnavailable:
        return unavailable()
    return _TAKEN


@device_endpoint("POST")
def report_deploy(environ: Environ) -> Answer:
    return _take(environ, parse_deploy_report)


@device_endpoint("POST")
def report_download(environ: Environ) -> Answer:
    return _take(environ, parse_download_report)


ROUTES: dict[str, WsgiApp] = {
    "/api/v0.1/public/codepush/report_status/deploy": report_deploy,
    "/api/reportStatus/deploy": report_deploy,
    "/api/v0.1/public/codepush/report_status/download": report_download,
    "/api/reportStatus/download": report_download,
}
