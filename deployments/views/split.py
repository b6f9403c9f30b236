"""The split bar of the Live panel: which share of a build's devices runs what."""

from dataclasses import dataclass

from deployments.policy.label import format_label
from deployments.views.cards import sort_labels
from metrics.selectors import NO_LABEL, BuildMetrics

# As many older labels get a colour of their own; the rest share one.
_NAMED_LABELS = 2
# The store's bundle, where addresses name labels.
STORE_ADDRESS = "store"


@dataclass(frozen=True)
class Slice:
    """A stretch of the bar. `tone` is its colour's number in the stylesheet; `offset` and `width` are percentages.

    `address`: the labels as the list of these devices names them; "" where there is no such list.
    """

    name: str
    devices: int
    address: str
    tone: int
    offset: float
    width: float


def split_devices(metrics: BuildMetrics, label_count: int, live_label: str, live_labels: set[str]) -> list[Slice]:
    """The Live one first (with those that run its bundle under older labels), then the most used, the rest, none.

    Empty without devices. What devices never said, or those that moved on, is a slice of its own: all add up to all.
    """
    # Devices may report a label that the build never gave: nobody is to read of it here.
    given = {format_label(number) for number in range(1, label_count + 1)}
    others = {
        label: release.active_devices
        for label, release in metrics.by_label.items()
        if label in given and label not in live_labels and release.active_devices
    }
    by_use = sorted(sort_labels(others), key=lambda label: others[label], reverse=True)
    named, rest = by_use[:_NAMED_LABELS], by_use[_NAMED_LABELS:]
    live_address = ",".join([live_label, *sort_labels(live_labels - {live_label})])
    parts = [(f"{live_label} Live", metrics.count_active(live_labels), live_address, 0)] if live_label else []
    parts += [(label, others[label], label, tone) for tone, label in enumerate(named, start=1)]
    parts.append(("Others", sum(others[label] for label in rest), ",".join(rest), 3))
    parts.append(("No CodePush", metrics.of(NO_LABEL).active_devices, STORE_ADDRESS, 4))
    parts.append(("Moved on, or not known", metrics.total_devices - sum(part[1] for part in parts), "", 5))
    return _lay_out([part for part in parts if part[1] > 0], metrics.total_devices)


def _lay_out(parts: list[tuple[str, int, str, int]], total: int) -> list[Slice]:
    slices = []
    before = 0
    for name, devices, address, tone in parts:
        slices.append(Slice(name, devices, address, tone, before * 100 / total, devices * 100 / total))
        before += devices
    return slices
