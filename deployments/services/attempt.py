"""One worker's exclusive claim on one CodePush."""

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from deployments.models import CodePush
from deployments.querysets import CodePushQuerySet
from telemetry import measures

logger = logging.getLogger(__name__)

# Share of the progress bar that is done when a step begins. Hashing and diffing take the time.
_STEP_STARTS = {
    CodePush.Step.QUEUED: 0,
    CodePush.Step.CHECKING: 5,
    CodePush.Step.STORING: 50,
    CodePush.Step.DIFFING: 60,
    CodePush.Step.PUBLISHING: 95,
}
_STEP_ENDS = dict(zip(_STEP_STARTS, [*list(_STEP_STARTS.values())[1:], 100], strict=True))


class AttemptLost(Exception):
    """The CodePush was canceled, or another worker took it for abandoned. Nothing more may be written."""


class Attempt:
    """Valid as long as the row carries our `attempt_id`; whoever claims or cancels replaces it."""

    def __init__(self, codepush: CodePush) -> None:
        self.codepush = codepush
        self._attempt_id = codepush.attempt_id
        self._written_at = time.monotonic()

    @classmethod
    def claim(cls, codepush_id: int) -> Self | None:
        """The claim, or None when the CodePush is finished or in the hands of a living worker.

        One conditional UPDATE: of any number of workers exactly one sees its row count.
        """
        lease = timedelta(seconds=settings.PROCESSING_LEASE_SECONDS)
        attempt_id = uuid.uuid4()
        claimed = (
            CodePush.objects.filter(pk=codepush_id)
            .claimable(lease=lease)
            .update(
                status=CodePush.Status.PROCESSING,
                step=CodePush.Step.QUEUED,
                progress_percent=0,
                attempt_id=attempt_id,
                attempt_count=F("attempt_count") + 1,
                heartbeat_at=Now(),
                started_at=timezone.now(),
            )
        )
        if not claimed:
            return None
        # By the claim, not by the id: while this process stood still, the row may have been canceled or taken over.
        codepush = CodePush.objects.select_related("build").filter(pk=codepush_id, attempt_id=attempt_id).first()
        return cls(codepush) if codepush is not None else None

    def enter(self, step: CodePush.Step) -> None:
        """The step has begun, for pages to see. Raises AttemptLost."""
        self.codepush.step = step
        self._write_progress(_STEP_STARTS[step])

    def advance(self, done_share: float) -> None:
        """This share (0..1) of the step is done. Writes once a second at most. Raises AttemptLost."""
        if time.monotonic() - self._written_at >= 1:
            start, end = _STEP_STARTS[self._step], _STEP_ENDS[self._step]
            self._write_progress(start + round((end - start) * min(done_share, 1.0)))

    @contextmanager
    def kept_alive(self) -> Iterator[None]:
        """Inside, the claim does not run out as long as this process lives, however long one step takes."""
        is_over = threading.Event()
        thread = threading.Thread(target=self._beat_until, args=(is_over,), name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _beat_until(self, is_over: threading.Event) -> None:
        while not is_over.wait(settings.PROCESSING_LEASE_SECONDS / 4):
            try:
                self._own_row().update(heartbeat_at=Now())
            except DatabaseFailure:
                logger.warning("codepush=%s heartbeat not written", self.codepush.pk)
        connection.close()

    def confirm(self) -> None:
        """The claim still holds, under the build's lock. Raises AttemptLost."""
        if not self._own_row().exists():
            raise AttemptLost

    def finish(self) -> None:
        """Write what became of it, with the time it took. The caller holds the build's lock and has confirmed."""
        codepush = self.codepush
        codepush.finished_at = timezone.now()
        started_at = codepush.started_at or codepush.finished_at
        # Clocks can be set back; time cannot.
        codepush.duration_ms = max(0, round((codepush.finished_at - started_at).total_seconds() * 1000))
        codepush.attempt_id = None
        codepush.save(
            update_fields=[
                "status",
                "label_number",
                "bundle",
                "failure_reason",
                "fails_again",
                "upload_name",
                "progress_percent",
                "finished_at",
                "duration_ms",
                "attempt_id",
            ]
        )
        seconds, status = codepush.duration_ms / 1000, codepush.status
        transaction.on_commit(lambda: measures.PROCESSING_SECONDS.labels(status).observe(seconds))

    def release(self) -> None:
        """The CodePush is pending again, and this attempt does not count: what stopped it is no fault of the bundle."""
        self._own_row().update(
            status=CodePush.Status.PENDING,
            step=CodePush.Step.QUEUED,
            progress_percent=0,
            attempt_id=None,
            attempt_count=F("attempt_count") - 1,
            started_at=None,
        )

    @property
    def _step(self) -> CodePush.Step:
        return CodePush.Step(self.codepush.step)

    def _own_row(self) -> CodePushQuerySet:
        return CodePush.objects.filter(
            pk=self.codepush.pk, attempt_id=self._attempt_id, status=CodePush.Status.PROCESSING
        )

    def _write_progress(self, percent: int) -> None:
        self._written_at = time.monotonic()
        written = self._own_row().update(step=self.codepush.step, progress_percent=percent, heartbeat_at=Now())
        if not written:
            raise AttemptLost
