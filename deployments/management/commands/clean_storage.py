import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from builds.formats import format_bytes, format_count
from deployments.models import Upload
from deployments.services.leftovers import Leftover, Survey, mark_unused_bundles

_LINE = "{:<12}{:<9}{:>9}  {:<72}{}"


class Command(BaseCommand):
    help = "Delete stored files that nobody needs, as the nightly task does, and list them with bytes and reasons."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Change nothing; list what would go now, and what later."
        )
        parser.add_argument("--json", action="store_true", help="A JSON object per line; the last one has the totals.")

    def handle(self, *, dry_run: bool, json: bool, **options: Any) -> None:
        survey = Survey(timezone.now())
        listed: Iterator[Leftover] = chain(survey.list_uploads(), survey.list_bundles())
        if not dry_run:
            Upload.objects.filter(expires_at__lte=survey.now).delete()
            mark_unused_bundles(survey.now)
            listed = survey.delete(listed)
        (self._write_json if json else self._write_table)(survey, listed, "now" if dry_run else "deleted")

    def _write_table(self, survey: Survey, leftovers: Iterator[Leftover], now: str) -> None:
        totals = _Totals(survey, now)
        self.stdout.write(_LINE.format("WHEN", "KIND", "SIZE", "NAME", "WHY"))
        for leftover in leftovers:
            when = totals.add(leftover)
            size = format_bytes(leftover.size_bytes)
            self.stdout.write(_LINE.format(when, leftover.kind, size, leftover.name, leftover.reason))
        for name, files, size_bytes in totals.list_rows():
            self.stdout.write(f"{name + ':':<12}{format_count(files)} files, {format_bytes(size_bytes)}")

    def _write_json(self, survey: Survey, leftovers: Iterator[Leftover], now: str) -> None:
        totals = _Totals(survey, now)
        for leftover in leftovers:
            due_at = leftover.due_at.isoformat() if leftover.due_at else None
            self.stdout.write(json.dumps({**leftover._asdict(), "due_at": due_at, "when": totals.add(leftover)}))
        summed = {name: {"files": files, "bytes": size_bytes} for name, files, size_bytes in totals.list_rows()}
        self.stdout.write(json.dumps({"totals": summed}))


class _Totals:
    """`now`: the word for what is due."""

    def __init__(self, survey: Survey, now: str) -> None:
        self._survey, self._now = survey, now
        self._files: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    def add(self, leftover: Leftover) -> str:
        """When it goes, as a table says it."""
        is_due = self._survey.is_due(leftover)
        name = self._now if is_due else "later" if leftover.due_at else "left alone"
        self._files[name] += 1
        self._bytes[name] += leftover.size_bytes
        return f"{leftover.due_at:%Y-%m-%d}" if leftover.due_at and not is_due else name

    def list_rows(self) -> list[tuple[str, int, int]]:
        """(name, files, bytes), and last what is stored in all."""
        names = [name for name in (self._now, "later", "left alone") if self._files[name] or name == self._now]
        rows = [(name, self._files[name], self._bytes[name]) for name in names]
        return [*rows, ("stored", self._survey.file_count, self._survey.total_bytes)]
