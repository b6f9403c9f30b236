"""What Prometheus gets beside what processes counted: how much waits, and for how long. Read at each scrape."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import redis
from celery import current_app
from django.conf import settings
from django.db import Error as DatabaseFailure
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from builds.connections import drop_dead_connections
from deployments.selectors import measure_unfinished
from metrics.report_log import connect_redis, measure_waiting

logger = logging.getLogger(__name__)


class CurrentState(Collector):
    """A part that is away is named in codepush_part_up; what it would have told is left out."""

    def collect(self) -> Iterator[Metric]:
        is_up = GaugeMetricFamily("codepush_part_up", "1: could be read at this scrape", labels=["part"])
        parts: list[tuple[str, Callable[[], list[Metric]]]] = [
            ("database", _read_codepushes),
            ("report_log", _read_report_log),
            ("queue", _read_queue),
        ]
        for part, read in parts:
            try:
                drop_dead_connections()
                yield from read()
                is_up.add_metric([part], 1)
            except (DatabaseFailure, redis.RedisError, OSError) as failure:
                logger.warning("metrics part=%s cannot be read: %s", part, type(failure).__name__)
                is_up.add_metric([part], 0)
        yield is_up


def _read_codepushes() -> list[Metric]:
    counts, oldest_seconds = measure_unfinished()
    unfinished = GaugeMetricFamily(
        "codepush_unfinished_codepushes", "CodePushes that have no result yet", labels=["status"]
    )
    for status, number in counts.items():
        unfinished.add_metric([status], number)
    oldest = GaugeMetricFamily(
        "codepush_oldest_unfinished_seconds", "How long the oldest of them has been waiting", value=oldest_seconds
    )
    return [unfinished, oldest]


def _read_report_log() -> list[Metric]:
    waiting, lag_seconds = measure_waiting()
    return [
        GaugeMetricFamily("codepush_report_log_waiting", "Reports that are not in the numbers yet", value=waiting),
        GaugeMetricFamily(
            "codepush_report_log_lag_seconds", "How long the oldest of them has waited", value=lag_seconds
        ),
    ]


def _read_queue() -> list[Metric]:
    family = GaugeMetricFamily("codepush_queue_messages", "Messages that no worker has taken", labels=["queue"])
    for queue in current_app.amqp.queues or ["celery"]:
        family.add_metric([queue], _count_messages(queue))
    return [family]


def _count_messages(queue: str) -> int:
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    if settings.REDIS_URL:
        # The broker's own connection may wait for minutes; this one gives up soon.
        return int(connect_redis().llen(f"{options.get('global_keyprefix', '')}{queue}"))
    folder = options.get("data_folder_in")
    # Kombu names them <time>_<uuid>.<queue>.msg.
    return sum(1 for _ in Path(folder).glob(f"*.{queue}.msg")) if folder else 0
