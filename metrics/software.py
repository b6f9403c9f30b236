"""What devices say of their app, told apart: a short list of combinations for each build, and a number on each device.

The texts come from anybody who knows a deployment key. So a build has MAX_SOFTWARE combinations at most; a device
beyond them has none, and everything else of it counts as ever.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from django.db.models import Count

from builds.models import Build
from metrics import batch_sql
from metrics.models import MAX_SOFTWARE, Software
from metrics.reports import DeviceReport


class SoftwareText(NamedTuple):
    """A combination as it was sent; absent values are ""."""

    app_version: str
    plugin_name: str
    plugin_version: str
    sdk_version: str


# (build id, combination)
SoftwareKey = tuple[int, SoftwareText]


def read_software(report: DeviceReport) -> SoftwareText:
    return SoftwareText(report.app_version, report.plugin_name, report.plugin_version, report.sdk_version)


def find_ids(wanted: Iterable[SoftwareKey]) -> Mapping[SoftwareKey, int]:
    """The ids of these. New ones are listed now, in their order, while the build's list has room; others are left out.

    Valid under the aggregation's lock only. Two queries; two more when there are new ones.
    """
    keys = list(dict.fromkeys((build_id, text) for build_id, text in wanted if any(text)))
    ids = {(build_id, SoftwareText(*text)): pk for build_id, *text, pk in batch_sql.read_software(keys)}
    if new := [key for key in keys if key not in ids]:
        ids |= _list_new(new)
    return ids


def _list_new(keys: Iterable[SoftwareKey]) -> dict[SoftwareKey, int]:
    counts = Software.objects.filter(build_id__in={build_id for build_id, _ in keys}).order_by()
    listed = Counter(dict(counts.values_list("build_id").annotate(count=Count("id"))))
    fitting = []
    for build_id, text in keys:
        if listed[build_id] < MAX_SOFTWARE:
            listed[build_id] += 1
            fitting.append((build_id, text))
    rows = Software.objects.bulk_create(Software(build_id=build_id, **text._asdict()) for build_id, text in fitting)
    return dict(zip(fitting, (row.pk for row in rows), strict=True))


def list_software(build: Build) -> list[Software]:
    """What the devices of the build say that they are, the most frequent first. One query, MAX_SOFTWARE at most."""
    return list(Software.objects.filter(build=build, devices__gt=0).order_by("-devices", "id"))
