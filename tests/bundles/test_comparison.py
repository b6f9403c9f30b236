"""Which files differ between two bundles, and by how much."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.bundles.comparison import Change, Comparison, FileChange, compare_files, show_path

OLD = {"same": "1", "grown": "2", "gone": "3"}
OLD_BYTES = {"same": 10, "grown": 20, "gone": 300}
NEW = {"same": "1", "grown": "2+", "new": "4"}
NEW_BYTES = {"same": 10, "grown": 25, "new": 7}


@pytest.fixture
def comparison() -> Comparison:
    return compare_files(OLD, NEW, OLD_BYTES, NEW_BYTES)


def test_files_are_told_apart_largest_difference_first(comparison: Comparison) -> None:
    assert comparison.changes == (
        FileChange("gone", Change.REMOVED, old_bytes=300),
        FileChange("new", Change.ADDED, new_bytes=7),
        FileChange("grown", Change.CHANGED, 20, 25),
    )
    assert comparison.unchanged_count == 1


def test_differences_are_what_the_bundle_gains(comparison: Comparison) -> None:
    assert [comparison.difference_bytes(change) for change in Change] == [5, 7, -300]


@pytest.mark.parametrize(
    ("old_bytes", "new_bytes", "expected"),
    [
        (None, NEW_BYTES, {"grown": None, "new": 7, "gone": None}),
        (OLD_BYTES, None, {"grown": None, "new": None, "gone": -300}),
        (None, None, {"grown": None, "new": None, "gone": None}),
    ],
)
def test_sizes_not_known_stay_unknown(
    old_bytes: Mapping[str, int] | None, new_bytes: Mapping[str, int] | None, expected: dict[str, int | None]
) -> None:
    comparison = compare_files(OLD, NEW, old_bytes, new_bytes)
    assert {one.path: one.difference_bytes for one in comparison.changes} == expected
    assert comparison.difference_bytes(Change.CHANGED) is None
    assert comparison.difference_bytes(Change.REMOVED) == expected["gone"]


@pytest.mark.parametrize(("text", "expected"), [("N", ["gone", "new", "grown"]), ("one", ["gone"]), ("same", [])])
def test_a_filter_leaves_paths_that_hold_it(comparison: Comparison, text: str, expected: list[str]) -> None:
    assert [one.path for one in comparison.matching(text).changes] == expected


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("CodePush/résumé.png", "CodePush/résumé.png"),
        ("a/\u202egnp.exe", "a/<U+202E>gnp.exe"),
        ("zero\u200bwidth", "zero<U+200B>width"),
        ("isolate\u2067", "isolate<U+2067>"),
    ],
)
def test_characters_that_nobody_sees_are_written_out(path: str, shown: str) -> None:
    assert show_path(path) == shown
    change = FileChange(path, Change.ADDED)
    assert change.folder + change.name == shown


manifests = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("1234"))


@given(manifests, manifests)
def test_every_file_is_counted_once_and_back_is_the_reverse(old: dict[str, str], new: dict[str, str]) -> None:
    old_bytes, new_bytes = ({path: int(digest) for path, digest in one.items()} for one in (old, new))
    there = compare_files(old, new, old_bytes, new_bytes)
    back = compare_files(new, old, new_bytes, old_bytes)
    assert len(there.changes) + there.unchanged_count == len(old.keys() | new.keys())
    total = sum(there.difference_bytes(change) or 0 for change in Change)
    assert total == sum(new_bytes.values()) - sum(old_bytes.values())
    assert {(one.path, -(one.difference_bytes or 0)) for one in there.changes} == {
        (one.path, one.difference_bytes) for one in back.changes
    }
