"""What a person or CI does to a running product, in a process of its own that has its settings.

Each function takes and gives plain JSON values. Tests call them through `Product.person`.
"""

import json
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.files import File
from django.db import Error as DatabaseFailure

from builds.connections import drop_dead_connections
from builds.models import AuditAction, AuditEntry, Build, Membership, Project, Role
from builds.services import create_project, register_build
from deployments.demo import publish_sample
from deployments.models import CodePush
from deployments.services import force_update, republishing
from deployments.services.build_status import set_store_status
from deployments.services.codepushes import create_codepush
from metrics import report_log
from metrics.aggregation import apply_batch, apply_waiting_reports
from metrics.models import LogPosition, ReleaseCounter
from metrics.selectors import measure_builds
from tests import answers_under_load
from webhooks.events import Event
from webhooks.services import create_webhook, delete_webhook

USERNAME, PASSWORD, SLUG = "rosa", "flows-password-1", "flows"
_BUILD: dict[str, Any] = {
    "platform": "android",
    "build_target": "production",
    "store_version": "3.0.0",
    "status": "success",
}
SAMPLES = Path(__file__).parent.parent / "samples"


def make_build(**fields: Any) -> dict[str, Any]:
    """A successful build of the project that all flows share; its person is a member with every right."""
    user = User.objects.filter(username=USERNAME).first() or User.objects.create_user(USERNAME, password=PASSWORD)
    project = Project.objects.filter(slug=SLUG).first() or create_project(actor=user, name="Flows", slug=SLUG)
    build = register_build(project, actor=user, **(_BUILD | fields))
    return {"id": build.pk, "key": build.deployment_key}


def publish(build_id: int, sample: str) -> dict[str, Any]:
    """The sample is Live, without a worker."""
    build = Build.objects.get(pk=build_id)
    codepush = publish_sample(build, SAMPLES / sample, actor=_person())
    return {"label": codepush.label, "failure_reason": codepush.failure_reason}


def upload(build_id: int, path: str) -> dict[str, Any]:
    with Path(path).open("rb") as file:
        codepush = create_codepush(build_id, actor=_person(), upload=File(file, name="bundle.zip"))
    return {"id": codepush.pk, "at": time.time()}


def upload_and_kill_worker(build_id: int, path: str, process_group: int) -> dict[str, Any]:
    """SIGKILL to the worker with all its children as soon as it has begun; what the CodePush is then."""
    codepush_id: int = upload(build_id, path)["id"]
    while CodePush.objects.filter(pk=codepush_id, status="pending").exists():
        time.sleep(0.002)
    os.killpg(process_group, signal.SIGKILL)
    time.sleep(0.1)
    return {"id": codepush_id} | describe(codepush_id)


def describe(codepush_id: int) -> dict[str, Any]:
    codepush = CodePush.objects.get(pk=codepush_id)
    entries = AuditEntry.objects.filter(deployment_id=codepush.deployment_id)
    return {
        "status": codepush.status,
        "label": codepush.label,
        "attempts": codepush.attempt_count,
        "failure_reason": codepush.failure_reason,
        "successes_in_audit": entries.filter(action=AuditAction.CODEPUSH_SUCCEEDED).count(),
    }


def roll_back(build_id: int, to_label: str) -> dict[str, Any]:
    live = CodePush.objects.filter(build_id=build_id).servable().by_label_descending()[0]
    codepush = republishing.roll_back(live.pk, to_label=to_label, actor=_person())
    return {"label": codepush.label, "at": time.time()}


def change_for_a_while(build_id: int, seconds: float, questions: list[str], base_url: str) -> dict[str, Any]:
    states = answers_under_load.change_for_a_while(build_id, _person(), seconds, questions, base_url)
    return {"states": states}


def list_hashes(build_id: int) -> dict[str, Any]:
    """Package hashes of the updates, v1 first."""
    successes = CodePush.objects.filter(build_id=build_id).successful().order_by("label_number")
    return {"hashes": list(successes.values_list("bundle__package_hash", flat=True))}


def replace_in_store_and_force(build_id: int, by_build_id: int) -> dict[str, Any]:
    """The first build was Live in the store, the second is now; Force Update is applied to the first."""
    for pk in (build_id, by_build_id):
        set_store_status(pk, actor=_person(), store_status="live")
    force_update.apply_force_update(build_id, actor=_person())
    return {"at": time.time()}


def make_guarded_build() -> dict[str, Any]:
    """A production build of a project that wants a second person for it: rosa's and cem's."""
    rosa = _person()
    cem = User.objects.create_user("cem", password=PASSWORD)
    project = create_project(actor=rosa, name="Guarded", slug="guarded")
    Membership.objects.create(project=project, user=cem, role=Role.RELEASE_MANAGER)
    Project.objects.filter(pk=project.pk).update(needs_second_person=True)
    build = register_build(project, actor=rosa, **_BUILD)
    return {"id": build.pk, "key": build.deployment_key}


def follow(url: str) -> dict[str, Any]:
    """The address is told of each label that becomes Live."""
    project = Project.objects.get(slug=SLUG)
    webhook = create_webhook(project, actor=_person(), name="Follower", url=url, events=[Event.LIVE_CHANGED])
    return {"id": webhook.pk}


def unfollow(webhook_id: int) -> dict[str, Any]:
    delete_webhook(webhook_id, actor=_person())
    return {}


def measure(key: str) -> dict[str, Any]:
    apply_waiting_reports()
    metrics = asdict(measure_builds([key])[key])
    del metrics["as_of"]
    return metrics


def keep_applying(flag: str) -> dict[str, Any]:
    """Reports are applied in small batches, whatever is away meanwhile, until there is a file of this name."""
    applied, failures = 0, 0
    while not Path(flag).exists():
        try:
            applied += (now := apply_batch(50))
            time.sleep(0 if now else 0.01)
        except DatabaseFailure:
            failures += 1
            drop_dead_connections()
            time.sleep(0.02)
    return {"applied": applied, "failures": failures}


def kill_worker_while_applying(process_group: int) -> dict[str, Any]:
    """SIGKILL to the worker with all its children once it has applied reports, and more are waiting."""
    while not (ReleaseCounter.objects.filter(download_reports__gte=100).exists() and _is_anything_waiting()):
        time.sleep(0.01)
    os.killpg(process_group, signal.SIGKILL)
    return {"at": time.time()}


def measure_when_applied(keys: list[str], seconds: float) -> dict[str, Any]:
    """{key: its numbers}, once a worker has applied every report. This process applies none."""
    deadline = time.monotonic() + seconds
    while _is_anything_waiting():
        assert time.monotonic() < deadline, f"Reports are waiting after {seconds} s."
        time.sleep(0.1)
    numbers = {key: asdict(metrics) for key, metrics in measure_builds(keys).items()}
    for metrics in numbers.values():
        del metrics["as_of"]
    return numbers


def _is_anything_waiting() -> bool:
    position = LogPosition.objects.first() or LogPosition()
    return bool(report_log.read_stream(position, 1) or report_log.read_table(1)[1])


def _person() -> User:
    return User.objects.get(username=USERNAME)


def main() -> None:
    name, values = sys.argv[1:]
    print(json.dumps(globals()[name](**json.loads(values))))
