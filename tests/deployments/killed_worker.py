"""A worker process of its own: `python -m tests.deployments.killed_worker STEP CODEPUSH_ID`, database in TEST_DATABASE.

It kills itself with SIGKILL at the step of this name; with "none" it does its work.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any
from unittest import mock

import django
from django.conf import settings


def _die(*args: object, **kwargs: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stand_still(*args: object, **kwargs: object) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _then_die(target: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> None:
        target(*args, **kwargs)
        _die()

    return wrapped


def main(step: str, codepush_id: int) -> None:
    settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
    django.setup()
    # Only now: these import models.
    from deployments import bundle_storage  # noqa: PLC0415
    from deployments.services import attempt, bundle_checks, change, patches, processing  # noqa: PLC0415

    claim = attempt.Attempt.claim
    places = {
        "none": (processing, "_process", processing._process),
        "before the claim": (attempt.Attempt, "claim", _die),
        "after the claim": (attempt.Attempt, "claim", _then_die(claim)),
        "while checking": (bundle_checks, "check_hermes_version", _die),
        "not, but stand still while checking": (bundle_checks, "check_hermes_version", _stand_still),
        "after storing the file": (bundle_storage, "save_published", _then_die(bundle_storage.save_published)),
        "while making diffs": (processing, "write_diff", _die),
        "while making patches": (patches, "write_patch", _die),
        "after making diffs": (processing, "_make_diffs", _then_die(processing._make_diffs)),
        "with the label written but not committed": (change, "publish_builds", _then_die(change.publish_builds)),
        "right after the commit": (processing, "_publish", _then_die(processing._publish)),
    }
    owner, name, deadly = places[step]
    with mock.patch.object(owner, name, deadly):
        processing.process_codepush(codepush_id)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
