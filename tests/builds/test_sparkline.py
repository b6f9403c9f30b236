import re

import pytest

from builds.sparkline import HEIGHT, WIDTH, draw_sparkline


def _points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]


def test_it_goes_from_edge_to_edge_with_zero_on_the_ground_and_the_largest_at_the_top() -> None:
    points = _points(draw_sparkline([0, 5, 10]))
    assert [x for x, _ in points] == [0, WIDTH / 2, WIDTH]
    assert [y for _, y in points] == [HEIGHT - 2, HEIGHT / 2, 2]


def test_nothing_at_all_is_a_line_on_the_ground() -> None:
    assert {y for _, y in _points(draw_sparkline([0] * 14))} == {HEIGHT - 2}


@pytest.mark.parametrize("numbers", [[], [3]])
def test_less_than_two_numbers_are_no_line(numbers: list[int]) -> None:
    assert draw_sparkline(numbers) == ""
