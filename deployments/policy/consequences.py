"""What a change would mean for the devices of a build, counted before anybody makes it. `previews` puts it in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

# In place of a label's number: the device runs the binary's own bundle.
OWN_BUNDLE = 0


@dataclass(frozen=True, slots=True)
class Update:
    """One success of a build."""

    label_number: int
    bundle_id: int
    is_enabled: bool = True
    is_mandatory: bool = False
    rollout_percent: int = 100


@dataclass(frozen=True, slots=True)
class Costs:
    """What a device downloads to get a bundle: a diff where one exists from what it runs, else all of it."""

    whole_bytes: int
    diff_bytes: Mapping[int, int] = field(default_factory=dict)

    def of(self, from_bundle_id: int | None) -> int:
        return self.diff_bytes.get(from_bundle_id, self.whole_bytes) if from_bundle_id else self.whole_bytes


@dataclass(frozen=True, slots=True)
class Move:
    """Devices that get another bundle. `each_bytes`: None when they do not all download the same."""

    devices: int = 0
    total_bytes: int = 0
    each_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """About how many devices are offered an update. OWN_BUNDLE: none, they run the binary's own bundle."""

    label_number: int
    devices: int


@dataclass(frozen=True)
class Fleet:
    """A build's devices by the label they run, and its successes: lowest label first, without gaps."""

    devices: Mapping[int, int]
    updates: Sequence[Update]

    @property
    def total(self) -> int:
        return sum(self.devices.values())

    @property
    def live(self) -> Update | None:
        return next((update for update in reversed(self.updates) if update.is_enabled), None)

    @property
    def mandatory_label(self) -> int:
        """A device whose own label is below this is forced, whatever it is offered (0: nobody is)."""
        return max((u.label_number for u in self.updates if u.is_enabled and u.is_mandatory), default=0)

    def get(self, label_number: int) -> Update:
        return self.updates[label_number - 1]

    def bundle_of(self, label_number: int) -> int | None:
        return self.updates[label_number - 1].bundle_id if 0 < label_number <= len(self.updates) else None

    def count_running(self, bundle_id: int) -> int:
        """Devices that run this bundle, under whatever label."""
        return sum(count for number, count in self.devices.items() if self.bundle_of(number) == bundle_id)

    def with_update(self, changed: Update) -> "Fleet":
        """The same devices, had the update with this label these values. The next label may be added."""
        others = (update for update in self.updates if update.label_number != changed.label_number)
        return replace(self, updates=sorted([*others, changed], key=lambda update: update.label_number))

    def list_candidates(self) -> list[Update]:
        """What devices may be offered, newest first: the unfinished rollouts, down to the first finished one."""
        candidates = []
        for update in reversed(self.updates):
            if update.is_enabled:
                candidates.append(update)
                if update.rollout_percent == 100:
                    break
        return candidates

    def split_offers(self, devices: int) -> list[Offer]:
        """About how many of so many devices are offered which update, newest first; those that nothing reaches last."""
        candidates = self.list_candidates()
        counts = split_by_rollout(devices, (update.rollout_percent for update in candidates))
        labels = [*(update.label_number for update in candidates), OWN_BUNDLE]
        return [Offer(label, count) for label, count in zip(labels, counts, strict=True) if count]

    def count_offered(self, label_number: int) -> int:
        """About how many devices of the build are offered this update."""
        return sum(offer.devices for offer in self.split_offers(self.total) if offer.label_number == label_number)

    def count_forced(self) -> int:
        """About how many devices install the Live one during the Splash Screen: those that do not have its bundle yet.

        Forced: the Live one is mandatory, or an enabled success is that the device skips (`decide`).
        """
        live = self.live
        if live is None:
            return 0
        forced = sum(
            count
            for number, count in self.devices.items()
            if self.bundle_of(number) != live.bundle_id and (live.is_mandatory or number < self.mandatory_label)
        )
        return scale(forced, live.rollout_percent)


@dataclass(frozen=True)
class Publication:
    """An update becomes Live: which devices move from the one it replaces, which from others, which not at all.

    Of those that its rollout includes; `outside` are the others. Together about all devices of the build.
    """

    from_live: Move
    from_others: Move
    same_devices: int
    forced_devices: int
    outside: Sequence[Offer] = ()

    @property
    def moving(self) -> Move:
        return Move(
            self.from_live.devices + self.from_others.devices, self.from_live.total_bytes + self.from_others.total_bytes
        )


def foresee_publication(fleet: Fleet, update: Update, costs: Costs) -> Publication:
    """`update` is or has the next label, or is one that was disabled and higher than what is Live."""
    after, percent = fleet.with_update(update), update.rollout_percent
    live_bundle = fleet.live.bundle_id if fleet.live else None
    from_live: dict[int, int] = {}
    from_others: dict[int, int] = {}
    for number, count in fleet.devices.items():
        bundle_id = fleet.bundle_of(number)
        if bundle_id != update.bundle_id:
            group = from_live if bundle_id is not None and bundle_id == live_bundle else from_others
            group[number] = count
    return Publication(
        from_live=_move(fleet, from_live, costs, percent),
        from_others=_move(fleet, from_others, costs, percent),
        # Who has its bundle and is outside is offered what the others outside are, and may download that.
        same_devices=scale(fleet.count_running(update.bundle_id), percent),
        forced_devices=after.count_forced(),
        outside=[offer for offer in after.split_offers(fleet.total) if offer.label_number != update.label_number],
    )


def foresee_taking_back(fleet: Fleet, label_number: int, costs: Costs) -> Move:
    """What the devices on a label download when it is disabled and the next lower one, of these costs, is Live."""
    live = fleet.live
    if live is None or live.bundle_id == fleet.bundle_of(label_number):
        return Move()
    group = {label_number: fleet.devices.get(label_number, 0)}
    return _move(fleet, group, costs, live.rollout_percent)


def _move(fleet: Fleet, devices: Mapping[int, int], costs: Costs, percent: int) -> Move:
    each = {costs.of(fleet.bundle_of(number)) for number, count in devices.items() if count}
    total_bytes = sum(count * costs.of(fleet.bundle_of(number)) for number, count in devices.items())
    return Move(
        scale(sum(devices.values()), percent), scale(total_bytes, percent), each.pop() if len(each) == 1 else None
    )


def split_by_rollout(devices: int, percents: Iterable[int]) -> list[int]:
    """About how many devices each of these rollouts reaches, of those that the ones before leave; last: the rest.

    Rollouts are independent of each other. The numbers add up to `devices`.
    """
    reached, rest = [], devices
    for percent in percents:
        reached.append(scale(rest, percent))
        rest -= reached[-1]
    return [*reached, rest]


def scale(number: int, percent: int) -> int:
    """So many percent of it, rounded half up as the slider of the page does."""
    return (number * percent + 50) // 100
