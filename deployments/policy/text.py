"""Characters that nobody sees, and that change what people see."""

import unicodedata

# These set a line apart, and people type them.
_HARMLESS = frozenset("\n\r\t")
# Embeddings, overrides and isolates: text behind them reads otherwise than it is stored. Plain marks (U+200E, U+200F),
# as Hebrew and Arabic keyboards write them, turn nothing around.
_TURNS_AROUND = frozenset(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))
# What is left, as a pattern of a JSON schema.
PLAIN_PATTERN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*$"


def describe_misleading(text: str) -> str:
    """The first such character in words, as "a control character (U+0007) at position 4"; "" when there is none."""
    for position, character in enumerate(text, start=1):
        kind = _find_kind(character)
        if kind:
            return f"{kind} (U+{ord(character):04X}) at position {position:,}"
    return ""


def remove_misleading(text: str) -> str:
    """The text without them and on one line, for a name that is shown and nothing else."""
    return "".join(character for character in text if character.isprintable() and not _find_kind(character))


def _find_kind(character: str) -> str:
    if character == "\0":
        return "a NUL character"
    if character in _TURNS_AROUND:
        return "a character that turns the reading direction around"
    category = unicodedata.category(character)
    if category == "Cc" and character not in _HARMLESS:
        return "a control character"
    # Half of a character, as JSON can carry it: no database stores it.
    return "half a character" if category == "Cs" else ""
