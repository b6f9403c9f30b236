"""Small lines of numbers, drawn as the path of an SVG. Pure."""

from collections.abc import Sequence

WIDTH, HEIGHT = 96, 28
# Half of the line's width would lie outside.
_MARGIN = 2


def draw_sparkline(numbers: Sequence[int]) -> str:
    """The path through these numbers, from left to right over WIDTH; 0 lies on the ground, the largest at the top.

    All zero: a line on the ground. Less than two numbers are no line: "".
    """
    if len(numbers) < 2:
        return ""
    top = max(numbers) or 1
    step = WIDTH / (len(numbers) - 1)
    room = HEIGHT - 2 * _MARGIN
    points = (
        f"{place * step:.1f} {HEIGHT - _MARGIN - number * room / top:.1f}" for place, number in enumerate(numbers)
    )
    return "M" + " L".join(points)
