"""An aggregation in a process of its own: `python -m tests.metrics.killed_aggregation STEP`, database in TEST_DATABASE.

It kills itself with SIGKILL at the step of this name; with "none" it does its work.
"""

import os
import sys
from unittest import mock

import django
from django.conf import settings

from tests.deployments.killed_worker import _die, _then_die


def main(step: str) -> None:
    settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
    django.setup()
    # Only now: these import models.
    from metrics import aggregation, batch_sql, counters, report_log  # noqa: PLC0415

    places = {
        "none": (counters, "write", counters.write),
        "with the position locked": (aggregation, "read_batch", _die),
        "with facts written": (batch_sql, "insert_new_facts", _then_die(batch_sql.insert_new_facts)),
        "with devices written": (batch_sql, "write_devices", _then_die(batch_sql.write_devices)),
        "with counters written": (counters, "write", _then_die(counters.write)),
        "with everything written but not committed": (report_log, "mark_applied", _then_die(report_log.mark_applied)),
        "right after the commit": (report_log, "trim_stream", _die),
    }
    owner, name, deadly = places[step]
    with mock.patch.object(owner, name, deadly):
        aggregation.apply_waiting_reports()


if __name__ == "__main__":
    main(sys.argv[1])
