"""Labels as devices send them: "v3" and nothing like it."""

import re

_LABEL = re.compile(r"v([1-9][0-9]{0,8})", re.ASCII)


def find_label_number(text: str, newest_label: int) -> int:
    """The number of a label that the build has given; 0 for anything else. Labels run without gaps from v1."""
    match = _LABEL.fullmatch(text)
    number = int(match[1]) if match else 0
    return number if number <= newest_label else 0
