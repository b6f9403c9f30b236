"""All processes of this host in one text: each keeps its numbers in files of its own (PROMETHEUS_MULTIPROC_DIR)."""

import os
from pathlib import Path

from django.conf import settings
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from telemetry import measures


def render(*also: Collector) -> bytes:
    """The text that Prometheus reads. `also`: what is found out only now."""
    measures.hand_on()
    _forget_dead_gauges()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    for collector in also:
        registry.register(collector)
    return generate_latest(registry)


def delete_files_of_the_dead() -> None:
    """Nothing is left of processes that have ended. Counters begin anew, as Prometheus expects of a restart."""
    for path in Path(settings.MEASURES_DIR).glob("*.db"):
        if not _is_alive(path):
            path.unlink(missing_ok=True)


def _forget_dead_gauges() -> None:
    # A web process that died and was replaced: nobody tells. Its counts stay counted, its state is none any more.
    for path in Path(settings.MEASURES_DIR).glob("gauge_live*.db"):
        if not _is_alive(path):
            mark_process_dead(_pid(path))  # type: ignore[no-untyped-call]


def _is_alive(path: Path) -> bool:
    try:
        os.kill(_pid(path), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _pid(path: Path) -> int:
    # "histogram_4711.db"
    return int(path.stem.rpartition("_")[2])
