"""What devices and people write as a version, and how versions compare."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.policy.version_range import Version, find_version


def version(text: str) -> Version:
    found = find_version(text)
    assert found is not None, text
    return found


@pytest.mark.parametrize(
    "text",
    [
        "3",
        "3.0",
        "3.0.0",
        "v3.0.0",
        " 3.0.0 ",
        "\t3.0.0",
        "3.0+7",
        "3.0.0+7",
        "3.0.0+build.7",
        "3.0.0+0007",
        " v3.0.0+a ",
    ],
)
def test_these_mean_3_0_0(text: str) -> None:
    assert version(text) == version("3.0.0")
    assert hash(version(text)) == hash(version("3.0.0"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "abc",
        "3.",
        "3.x",
        "3.0.x",
        "3.0.0.0",
        "=3.0.0",
        "^3.0.0",
        "03.0.0",
        "3.00.0",
        "3-beta",
        "3+7",
        "v3",
        "v3.0",
        " 3 ",
        "vv3.0.0",
        "V3.0.0",
        "3.0.0-",
        "3.0.0-01",
        "3.0.0-a..b",
        "3.0.0+",
        "3.0.0-ä",
        "3 .0.0",
        "-3.0.0",
        "٣.0.0",
        "3.0.0\x00",
        "3.0-a\nb",
        "9007199254740992.0.0",
        "3.0." + "9" * 300,
        "3.0.0-" + "9" * 5000,
        "undefined",
    ],
)
def test_these_are_no_version(text: str) -> None:
    assert find_version(text) is None


def test_the_largest_number_that_javascript_can_count_to_is_a_version() -> None:
    assert version("1.0.0") < version("9007199254740991.0.0")


# Semver 2.0, rule 11, and the padding of the protocol page.
ASCENDING = [
    "0.0.1",
    "1.0.0-0",
    "1.0.0-2",
    "1.0.0-10",
    "1.0.0--",
    "1.0.0-Beta",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.1.0",
    "1.0.0-alpha.beta",
    "1.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1+exp.sha",
    "1",
    "1.0.1",
    "1.2",
    "1.10.0",
    "2.0",
    "10.0.0-rc.1",
    "10",
]


@pytest.mark.parametrize("place", range(len(ASCENDING)), ids=ASCENDING)
def test_versions_sort_by_precedence(place: int) -> None:
    own = version(ASCENDING[place])
    others = [version(text) for text in ASCENDING]
    assert [other < own for other in others] == [other_place < place for other_place in range(len(ASCENDING))]
    assert [own < other for other in others] == [place < other_place for other_place in range(len(ASCENDING))]


def test_a_version_is_not_equal_to_its_text() -> None:
    assert version("3.0.0") != "3.0.0"


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(), st.text("0123456789.-+v ab"), st.from_regex(r"\A\d+(\.\d+){0,3}[-+]?[0-9a-z.]*\Z")))
def test_any_text_is_a_version_or_none(text: str) -> None:
    found = find_version(text)
    assert found is None or (found == version(text) and not found < version(text))
