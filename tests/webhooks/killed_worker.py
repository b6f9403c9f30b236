"""A worker process of its own: `python -m tests.webhooks.killed_worker PLACE DELIVERY_ID`, database in TEST_DATABASE.

It kills itself with SIGKILL at that place of `webhooks.deliveries`; with "none" it does its work.
"""

import os
import signal
import sys
from unittest import mock

import django
from django.conf import settings


def _die(*args: object, **kwargs: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(place: str, delivery_id: int) -> None:
    settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
    django.setup()
    # Only now: it imports models.
    from webhooks import deliveries  # noqa: PLC0415

    deadly = {
        "none": ("_judge", deliveries._judge),
        "before sending": ("_write_headers", _die),
        "after": ("_finish", _die),
    }
    name, action = deadly[place]
    with mock.patch.object(deliveries, name, action):
        deliveries.attempt_delivery(delivery_id)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
