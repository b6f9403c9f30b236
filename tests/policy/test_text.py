import re
import sys

import pytest

from deployments.policy.text import PLAIN_PATTERN, describe_misleading, remove_misleading


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\0b", "a NUL character (U+0000) at position 2"),
        ("bell \x07", "a control character (U+0007) at position 6"),
        ("\x1b[31mred", "a control character (U+001B) at position 1"),
        ("\x7f", "a control character (U+007F) at position 1"),
        ("\x85", "a control character (U+0085) at position 1"),
        ("safe \u202etxt.exe", "a character that turns the reading direction around (U+202E) at position 6"),
        ("\u2066isolated\u2069", "a character that turns the reading direction around (U+2066) at position 1"),
        ("half \ud83d", "half a character (U+D83D) at position 6"),
    ],
)
def test_what_nobody_sees_is_named_with_its_place(text: str, told: str) -> None:
    assert describe_misleading(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "",
        "First line\nsecond\tline\r\n",
        "İndirim kodu düzeltildi: sepet ₺0 göstermiyor",
        "תיקון\u200f סל הקניות, e\u0301, 👩\u200d💻 🏴\U000e0067\U000e0062",
        "soft\u00adhyphen, no-break\u00a0space, zero\u200bwidth, \ufeffmark",
    ],
)
def test_what_people_write_is_taken(text: str) -> None:
    assert describe_misleading(text) == ""


def test_a_name_is_shown_without_them() -> None:
    assert remove_misleading("ios\n\u202epiz.\0zip") == "iospiz.zip"


def test_the_pattern_says_the_same_of_every_character() -> None:
    characters = [chr(number) for number in range(sys.maxunicode + 1) if not 0xD800 <= number < 0xE000]
    assert [c for c in characters if bool(re.match(PLAIN_PATTERN, c)) == bool(describe_misleading(c))] == []
