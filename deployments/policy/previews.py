"""What will happen, in the words of dialogs: flows, counts and sentences. The numbers are those of `consequences`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from builds.formats import format_bytes, format_count
from deployments.policy.consequences import (
    OWN_BUNDLE,
    Costs,
    Fleet,
    Move,
    Offer,
    Publication,
    Update,
    foresee_publication,
    foresee_taking_back,
)
from deployments.policy.label import format_label

NO_DEVICES = "No device has reported to this build yet."
ABOUT = "Counts under a rollout below 100% are about right: which devices it includes depends on their ids."
NOTHING_IS_LIVE = (
    "No update is Live then, and nothing is offered: new devices run the binary's own bundle, and devices that already "
    "have the update keep it (the SDK has no way back to the binary)."
)


@dataclass(frozen=True, slots=True)
class Node:
    """What one update becomes: "v7", "Live → Superseded"."""

    label: str
    becomes: str
    is_live: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """So many devices, and what they do: `text` continues the number."""

    devices: int
    text: str


@dataclass(frozen=True)
class Preview:
    """`is_danger`: nothing is left to fall back to."""

    flow: Sequence[Node] = ()
    rows: Sequence[Row] = ()
    notes: Sequence[str] = ()
    is_danger: bool = False


def preview_copy(fleet: Fleet, source: Update, costs: Costs, *, is_mandatory: bool, rollout_percent: int) -> Preview:
    """Rolling back to, or promoting, a success: the next label gets its bundle and is Live."""
    number = len(fleet.updates) + 1
    copy = Update(number, source.bundle_id, is_mandatory=is_mandatory, rollout_percent=rollout_percent)
    label, source_label = format_label(number), format_label(source.label_number)
    notes = [] if source.is_enabled else [f"{source_label} is disabled and stays so; {label} is an enabled copy of it."]
    return Preview(
        flow=[*_replaced(fleet.live), Node(label, f"Live, same bundle as {source_label}", is_live=True)],
        rows=list(_tell(fleet, copy, foresee_publication(fleet, copy, costs), label, source_label)),
        notes=[*notes, *_tell_doubt(fleet, rollout_percent)],
    )


def preview_upload(fleet: Fleet, *, is_mandatory: bool, rollout_percent: int) -> Preview:
    """An upload, if it succeeds before anything else does. What it weighs for a device is known only then."""
    update = Update(len(fleet.updates) + 1, 0, is_mandatory=is_mandatory, rollout_percent=rollout_percent)
    foreseen = foresee_publication(fleet, update, Costs(0))
    rows = []
    if foreseen.moving.devices:
        verb = "are" if foreseen.moving.devices != 1 else "is"
        of_all = f" of {format_count(fleet.total)}" if rollout_percent < 100 else ""
        rows.append(Row(foreseen.moving.devices, f"{_devices(foreseen.moving.devices, of_all)} {verb} offered it"))
    rows += [*_tell_forced(fleet, update, foreseen), *_tell_outside(foreseen.outside)]
    return Preview(
        flow=[*_replaced(fleet.live), Node("New update", "Live when it succeeds", is_live=True)],
        rows=rows,
        notes=[
            "The bundle is checked first. Until that succeeds, nothing changes for devices.",
            *_tell_doubt(fleet, rollout_percent),
        ],
    )


def preview_release(fleet: Fleet, update: Update, costs: Costs) -> Preview:
    """A processed upload, once it is approved. `update`: with the next label."""
    label = format_label(update.label_number)
    return Preview(
        flow=[*_replaced(fleet.live), Node(label, "Live, a new bundle", is_live=True)],
        rows=list(_tell(fleet, update, foresee_publication(fleet, update, costs), label, label)),
        notes=list(_tell_doubt(fleet, update.rollout_percent)),
    )


def preview_force_update(devices: int, store_version: str) -> Preview:
    what = f"sent to the store for {store_version}, and {'get' if devices != 1 else 'gets'} no CodePush any more"
    rows = [Row(devices, f"{_devices(devices)} {'are' if devices != 1 else 'is'} {what}")] if devices else []
    return Preview(rows=rows, notes=["It can be lifted again.", *([] if devices else [NO_DEVICES])])


def warn_unsigned(preview: Preview, label: str) -> Preview:
    """The same, with a warning: nothing refuses a rollback, but devices may."""
    note = f"{label} is not signed with the registered key. Devices that check signatures do not take it."
    return replace(preview, notes=[note, *preview.notes])


def wait_first(preview: Preview, hours: int) -> Preview:
    """The same, once somebody else has approved it."""
    how_long = "an hour" if hours == 1 else f"{hours} hours"
    note = f"First it waits for approval by a second person, for {how_long} at most. Until then nothing changes."
    return replace(preview, notes=[note, *preview.notes])


def preview_edit(fleet: Fleet, before: Update, after: Update, costs: Costs) -> Preview:
    """`costs`: of the bundle that is Live afterwards."""
    edited = fleet.with_update(after)
    if before == after:
        return Preview(notes=["Nothing changes for devices."])
    live, live_after = fleet.live, edited.live
    if live_after is None:
        return _preview_last_disabled(fleet, before)
    if live is None or live.label_number != live_after.label_number:
        return (
            _preview_disabled_live(edited, live_after, before, costs)
            if before.is_enabled
            else _preview_enabled(fleet, after, costs)
        )
    return _preview_settings(fleet, edited, before, after, live_label=format_label(live.label_number))


def hint_at_switching(fleet: Fleet, update: Update) -> str:
    """What turning Enabled off, or on, would do: beside the switch, before anybody touches it."""
    label, live = format_label(update.label_number), fleet.live
    switched = fleet.with_update(replace(update, is_enabled=not update.is_enabled)).live
    if switched is None:
        return f"{label} is the only enabled update: if you disable it, no update is Live."
    if live is not None and switched.label_number == live.label_number:
        return f"{format_label(live.label_number)} stays Live either way."
    if update.is_enabled:
        return f"If you disable {label}, {format_label(switched.label_number)} becomes Live again."
    return f"If you enable {label}, it becomes Live."


def _preview_last_disabled(fleet: Fleet, before: Update) -> Preview:
    label, keepers = format_label(before.label_number), fleet.devices.get(before.label_number, 0)
    if not before.is_enabled:
        return Preview(notes=[f"{label} stays disabled, so nothing changes for devices."])
    rows = [Row(keepers, f"{_devices(keepers)} {'run' if keepers != 1 else 'runs'} {label} and will keep it")]
    return Preview([Node(label, "Live → Disabled")], rows if keepers else [], [NOTHING_IS_LIVE], is_danger=True)


def _preview_disabled_live(edited: Fleet, live: Update, before: Update, costs: Costs) -> Preview:
    label, live_label = format_label(before.label_number), format_label(live.label_number)
    on_it = edited.devices.get(before.label_number, 0)
    move = foresee_taking_back(edited, before.label_number, costs)
    rows = []
    if move.devices:
        rows.append(Row(move.devices, _tell_move(move, f"from {label} to {live_label}")))
    elif on_it and live.bundle_id == before.bundle_id:
        rows.append(_tell_same(on_it, live_label))
    if live.rollout_percent < 100:
        rows += _tell_outside([o for o in edited.split_offers(on_it) if o.label_number != live.label_number])
    return Preview(
        [Node(label, "Live → Disabled"), Node(live_label, "Superseded → Live", is_live=True)],
        rows,
        [f"{live_label} becomes Live again.", *([] if on_it else [f"No device runs {label}."])],
    )


def _preview_enabled(fleet: Fleet, after: Update, costs: Costs) -> Preview:
    label = format_label(after.label_number)
    foreseen = foresee_publication(fleet, after, costs)
    return Preview(
        [*_replaced(fleet.live), Node(label, "Disabled → Live", is_live=True)],
        list(_tell(fleet, after, foreseen, label, label)),
        _tell_doubt(fleet, after.rollout_percent),
    )


def _preview_settings(fleet: Fleet, edited: Fleet, before: Update, after: Update, *, live_label: str) -> Preview:
    """The same one is Live afterwards."""
    label = format_label(after.label_number)
    on_it = fleet.devices.get(after.label_number, 0)
    notes = [f"{live_label} stays Live."] if live_label != label else []
    rows: list[Row] = []
    if before.is_enabled and not after.is_enabled and on_it:
        what = f"that {'run' if on_it != 1 else 'runs'} {label} {'are' if on_it != 1 else 'is'} no longer kept on it"
        rows.append(Row(on_it, f"{_devices(on_it)} {what}, and offered the newest update whose rollout includes them"))
    elif not before.is_enabled and not after.is_enabled:
        notes.append(f"{label} stays disabled, so nothing changes for devices.")
    rows += _tell_reach(fleet.count_offered(after.label_number), edited.count_offered(after.label_number), label)
    if after.is_enabled and after.rollout_percent < before.rollout_percent:
        notes.append(
            f"It stops for devices that have not received {label}. Nothing is taken back from those that have."
        )
    # At the same rollout: who is left out of it is not forced, but not spared by a setting either.
    as_reached = fleet.with_update(replace(before, rollout_percent=after.rollout_percent))
    rows += _tell_forced_change(edited.count_forced() - as_reached.count_forced())
    if not rows and not notes:
        notes.append("No device known now is affected: it is for devices to come." if fleet.total else NO_DEVICES)
    return Preview(rows=rows, notes=notes)


def _tell_reach(offered_before: int, offered: int, label: str) -> Iterator[Row]:
    change = offered - offered_before
    if change:
        more = "more" if change > 0 else "fewer"
        noun = "device is" if abs(change) == 1 else "devices are"
        yield Row(
            abs(change),
            f"{more} {noun} meant to get {label}: "
            f"about {format_count(offered)} instead of {format_count(offered_before)}",
        )


def _tell_forced_change(change: int) -> Iterator[Row]:
    if change > 0:
        yield Row(change, f"more {_devices(change)} will install during the Splash Screen, when it reaches them")
    elif change < 0:
        yield Row(-change, f"{_devices(-change)} will install at the second launch, not during the Splash Screen")


def _tell_doubt(fleet: Fleet, rollout_percent: int) -> list[str]:
    """What to think of the counts."""
    if not fleet.total:
        return [NO_DEVICES]
    return [ABOUT] if rollout_percent < 100 else []


def _replaced(live: Update | None) -> list[Node]:
    return [Node(format_label(live.label_number), "Live → Superseded")] if live else []


def _tell(fleet: Fleet, update: Update, foreseen: Publication, label: str, bundle: str) -> Iterator[Row]:
    """Who moves, who has it, who moves from elsewhere, who is forced, who is left out: rows without devices are not."""
    live = fleet.live
    if live and foreseen.from_live.devices:
        way = f"from {format_label(live.label_number)} to {label}"
        yield Row(foreseen.from_live.devices, _tell_move(foreseen.from_live, way))
    if foreseen.same_devices:
        yield _tell_same(foreseen.same_devices, bundle)
    if foreseen.from_others.devices:
        yield Row(foreseen.from_others.devices, _tell_move(foreseen.from_others, f"from other versions to {label}"))
    yield from _tell_forced(fleet, update, foreseen)
    yield from _tell_outside(foreseen.outside)


def _tell_move(move: Move, way: str) -> str:
    if move.devices == 1:
        return f"device moves {way} at its next check, {format_bytes(move.total_bytes, is_fine=True)}"
    each = f"{format_bytes(move.each_bytes, is_fine=True)} each, " if move.each_bytes is not None else ""
    total = format_bytes(move.total_bytes, is_fine=True)
    return f"devices move {way} at their next check, {each}about {total} in all"


def _tell_same(devices: int, bundle: str) -> Row:
    if devices == 1:
        return Row(1, f"device already runs the {bundle} bundle, so it downloads nothing")
    return Row(devices, f"devices already run the {bundle} bundle, so they download nothing")


def _tell_forced(fleet: Fleet, update: Update, foreseen: Publication) -> Iterator[Row]:
    if foreseen.forced_devices:
        why = "it is mandatory"
        if not update.is_mandatory:
            why = f"they skip {format_label(fleet.mandatory_label)}, which is mandatory"
        yield Row(foreseen.forced_devices, f"of these must install it during the Splash Screen: {why}")


def _tell_outside(offers: Sequence[Offer]) -> Iterator[Row]:
    for offer in offers:
        is_one = offer.devices == 1
        if offer.label_number == OWN_BUNDLE:
            what = f"outside every rollout {'is' if is_one else 'are'} offered nothing"
        else:
            what = f"outside the rollout {'is' if is_one else 'are'} offered {format_label(offer.label_number)}"
        yield Row(offer.devices, f"{_devices(offer.devices)} {what}")


def _devices(count: int, more: str = "") -> str:
    return f"{more.strip()} devices".strip() if count != 1 or more else "device"


def apply_settings(update: Update, values: dict[str, object]) -> Update:
    """The update with those of its settings that are among the values of a form."""
    names = ("is_enabled", "is_mandatory", "rollout_percent")
    return replace(update, **{name: values[name] for name in names if name in values})  # type: ignore[arg-type]
