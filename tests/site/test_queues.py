"""Each kind of work has a queue that a process of the Procfile works on, and none is done twice for being long."""

import re
from itertools import chain
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings

from codepush_site import queues
from codepush_site.schedule import SCHEDULE

PROCFILE = (Path(settings.BASE_DIR) / "Procfile").read_text()
SERVED = {
    name: names.split(",") for name, names in re.findall(r"^(\w+): .* worker --queues (\S+)", PROCFILE, re.MULTILINE)
}
# What must not wait behind anything slow, and what is slow.
QUICK = {task for task, how in queues.ROUTES.items() if how["queue"] == queues.AGGREGATION}


def _own_tasks() -> set[str]:
    current_app.loader.import_default_modules()
    return {name for name in current_app.tasks if not name.startswith("celery.")}


def test_every_queue_is_served() -> None:
    assert {*chain.from_iterable(SERVED.values())} == {*queues.QUEUES}
    assert set(current_app.amqp.queues) == set(queues.QUEUES)


def test_every_route_is_one_of_a_task() -> None:
    assert set(queues.ROUTES) <= _own_tasks()


def test_what_is_quick_shares_its_process_with_nothing_slow() -> None:
    assert SERVED["numbers"] == [queues.AGGREGATION]
    assert {"metrics.apply_reports", "deployments.requeue_unfinished", "webhooks.queue_due"} <= QUICK
    seconds = {each["task"]: each["schedule"] for each in SCHEDULE.values() if isinstance(each["schedule"], float)}
    assert {task for task, every in seconds.items() if every < 600} == QUICK


@pytest.mark.parametrize("name", sorted(_own_tasks()))
def test_no_task_takes_so_long_that_its_message_goes_to_another_worker(name: str) -> None:
    task = current_app.tasks[name]
    soft = task.soft_time_limit or current_app.conf.task_soft_time_limit
    hard = task.time_limit or current_app.conf.task_time_limit

    assert 0 < soft < hard < queues.VISIBILITY_SECONDS
    assert task.acks_late


def test_the_broker_is_told_so() -> None:
    if not settings.REDIS_URL:
        pytest.skip("The embedded broker gives no message to another worker.")
    from codepush_site import settings as product  # noqa: PLC0415 (the suite replaces the broker's options)

    assert product.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"] == queues.VISIBILITY_SECONDS
