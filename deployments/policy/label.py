"""Labels: "v3" names the third success of a build."""

import re

_LABEL = re.compile(r"v([1-9]\d{0,8})", re.ASCII)


def format_label(number: int) -> str:
    return f"v{number}"


def find_label_number(text: str) -> int | None:
    """3 for "v3"; None for what names no success anywhere, such as "", "3", "v0", "v03" or "V3"."""
    match = _LABEL.fullmatch(text)
    return int(match[1]) if match else None
