"""From a number to the devices behind it, and from a device to what it did and what it would be offered now."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from builds.access import get_build
from builds.csv_export import stream_csv
from builds.models import Build
from deployments.policy.label import format_label
from deployments.selectors import find_next_label_number
from metrics import devices
from metrics.aggregation import hash_client
from metrics.devices import FACT_EVENTS, DeviceRow, Selection, Show
from metrics.forms import DeviceFilterForm
from metrics.models import Software
from metrics.offers import find_offer
from metrics.selectors import NO_LABEL, BuildMetrics, measure_builds
from metrics.software import list_software

_CSV_HEADER = ("device", "current_release", "last_report_at", "moved_on_at", "platform")
_CSV_SOFTWARE = ("app_version", "plugin_name", "plugin_version", "sdk_version")
# Where the list is about updates: which of them it did this with.
_CSV_FACTS = ("downloaded", "installed", "rolled_back")


@dataclass(frozen=True)
class Listed:
    """Which number the devices are behind: its labels in words, the sentence about it, and the number itself."""

    selection: Selection
    metrics: BuildMetrics
    filters: DeviceFilterForm

    @property
    def label(self) -> str:
        """The one label that it is about; "" when there is none, or are several."""
        numbers = self.selection.label_numbers
        return format_label(numbers[0]) if len(numbers) == 1 and numbers[0] else ""

    @property
    def deed(self) -> str:
        """What these devices have in common, as a predicate."""
        labels = " or ".join(format_label(n) if n else "the store bundle" for n in self.selection.label_numbers)
        return {
            Show.ALL: "reported to this build at some time",
            Show.ACTIVE: f"run {labels or 'this build'} now",
            Show.DOWNLOADS: f"downloaded {labels}",
            Show.INSTALLS: f"installed {labels}",
            Show.ROLLBACKS: f"failed to apply {labels} and went back by themselves",
        }[self.selection.show]

    @property
    def narrowing(self) -> str:
        """The app version and client library that they are narrowed to, in words; "" when they are not."""
        app, library = self.filters.chosen["app"], self.filters.chosen["library"]
        return f"{f', on app version {app}' if app else ''}{f', with {library}' if library else ''}"

    @property
    def count(self) -> int | None:
        """As cards show it; None for a combination that nobody counts."""
        if self.narrowing:
            return sum(one.devices for one in self.filters.software) if self.selection.show == Show.ALL else None
        show, labels = self.selection.show, [format_label(n) if n else NO_LABEL for n in self.selection.label_numbers]
        if show == Show.ALL:
            return self.metrics.total_devices
        if show == Show.ACTIVE:
            return self.metrics.count_active(labels) if labels else self.metrics.current_devices
        release = self.metrics.of(labels[0])
        return {
            Show.DOWNLOADS: release.downloads,
            Show.INSTALLS: release.installs,
            Show.ROLLBACKS: release.rollbacks,
        }[show]


@require_safe
@login_required
def list_devices(request: HttpRequest, slug: str, build_id: int) -> HttpResponse:
    """A fixed number of queries, however many devices."""
    access, build = get_build(request.user, slug, build_id)
    software = list_software(build)
    filters = _read_filters(request, build, software)
    context = {
        "access": access,
        "build": build,
        "filters": filters,
        "software": software,
        "q": filters.selection.client_unique_id,
        "masked": devices.mask_client(filters.selection.client_unique_id),
        "listed": Listed(filters.selection, measure_builds([build.deployment_key])[build.deployment_key], filters),
        "after": (after := _read_hash(request.GET.get("after", ""))),
        "page": devices.get_page(build, filters.selection, after=after),
    }
    return render(request, "metrics/devices.html", context)


@require_safe
@login_required
def export_devices(request: HttpRequest, slug: str, build_id: int) -> StreamingHttpResponse:
    """The same devices as on the page, all of them, as they are read."""
    _, build = get_build(request.user, slug, build_id)
    selection = _read_filters(request, build, list_software(build)).selection
    cells = _iter_cells(build, devices.iter_rows(build, selection), selection)
    return stream_csv(f"devices-of-build-{build.pk}.csv", _name_columns(selection), cells)


@require_safe
@login_required
def show_device(request: HttpRequest, slug: str, build_id: int, client_hash: UUID) -> HttpResponse:
    """A fixed number of queries. `?q=` is the device's client id; it is used for this answer, and not kept."""
    access, build = get_build(request.user, slug, build_id)
    row = devices.find_device(build, client_hash, range(1, find_next_label_number(build)))
    if row is None:
        raise Http404("No such device.")
    typed = request.GET.get("q", "").strip()
    client = typed if typed and hash_client(typed) == row.client_hash else ""
    reports = devices.list_reports(build, client) if client else []
    context = {
        "access": access,
        "build": build,
        "row": row,
        "client": client,
        "masked": devices.mask_client(client),
        "is_other": bool(typed) and not client,
        "reports": reports,
        "offer": find_offer(build, row, client_unique_id=client),
    }
    return render(request, "metrics/device.html", context)


def _read_filters(request: HttpRequest, build: Build, software: list[Software]) -> DeviceFilterForm:
    return DeviceFilterForm(request.GET, find_next_label_number(build) - 1, software)


def _read_hash(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _name_columns(selection: Selection) -> list[str]:
    facts = _CSV_FACTS if any(selection.label_numbers) else ()
    return [*_CSV_HEADER, *_CSV_SOFTWARE, *facts, *(["client_id"] if selection.client_unique_id else ())]


def _iter_cells(build: Build, rows: Iterable[DeviceRow], selection: Selection) -> Iterator[list[str]]:
    has_facts = any(selection.label_numbers)
    client = [selection.client_unique_id] if selection.client_unique_id else []
    for row in rows:
        times = [time.isoformat(timespec="seconds") if time else "" for time in (row.state.seen_at, row.state.left_at)]
        facts = [" ".join(row.labels_with(event)) for event in FACT_EVENTS.values()] if has_facts else []
        software = [getattr(row.software, name, "") for name in _CSV_SOFTWARE]
        yield [str(row.client_hash), row.current_release, *times, build.platform, *software, *facts, *client]
