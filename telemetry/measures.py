"""Every number that processes count for Prometheus. What the database or Redis knows is read at each scrape instead
(`codepush_site.current_state`).

All have labels: then a process that counts nothing makes no file (PROMETHEUS_MULTIPROC_DIR, see the settings).
"""

from prometheus_client import Counter, Gauge, Histogram

from telemetry.tally import Tally

UPDATE_CHECKS = Counter(
    "codepush_update_checks", "Update checks by the reason of their answer, or why there is none", ["outcome"]
)
REPORTS = Counter("codepush_reports", "Reports of devices by what became of them", ["outcome"])
REPORTS_APPLIED = Counter("codepush_reports_applied", "Reports that are in the numbers, by where they waited", ["log"])
SNAPSHOTS_REFRESHED_AT = Gauge(
    "codepush_snapshots_refreshed_timestamp_seconds",
    "When the web process that is furthest behind last compared its snapshots with the database",
    ["process"],
    multiprocess_mode="livemin",
)
PROCESSING_SECONDS = Histogram(
    "codepush_processing_seconds",
    "From the claim of an uploaded CodePush to its label or its failure",
    ["status"],
    buckets=(0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600),
)
TASK_SECONDS = Histogram(
    "codepush_task_seconds",
    "Tasks of the workers",
    ["task", "state"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300),
)
PAGE_SECONDS = Histogram(
    "codepush_page_seconds",
    "Requests to the dashboard, by status",
    ["method", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
RATE_LIMITED = Counter("codepush_rate_limited", "Requests that were refused as too many", ["limit"])

update_checks = Tally(UPDATE_CHECKS)
reports = Tally(REPORTS)


def hand_on() -> None:
    """What was tallied in this process since the last time is in its counters."""
    update_checks.hand_on()
    reports.hand_on()
