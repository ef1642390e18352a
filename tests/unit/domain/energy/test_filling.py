"""Progressive filling against the plainest way to do it: raise one level by bisection, stop who is stopped, repeat."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotwire.domain.energy.filling import Floats, Pairs, fill


def plainly(matrix: Floats, room: Floats, least: Floats, most: Floats, weight: Floats) -> Floats:
    current, stopped = least.copy(), most <= least
    while not stopped.all():
        low, high = 0.0, 1e4

        def at(level: float, stopped: np.ndarray = stopped, current: Floats = current) -> Floats:  # type: ignore[type-arg]
            return np.where(stopped, current, np.clip(level * weight, least, most))

        if (matrix @ at(high) <= room + 1e-9).all():
            return at(high)
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if (matrix @ at(middle) <= room + 1e-9).all() else (low, middle)
        current = at(low)
        tight = matrix @ current >= room - 1e-6
        more = stopped | (matrix[tight].sum(axis=0) > 0) | (current >= most - 1e-9)
        if (more == stopped).all():
            break
        stopped = more
    return current


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_it_finds_the_fair_point(seed: int) -> None:
    dice = np.random.default_rng(seed)
    users, rows = int(dice.integers(1, 15)), int(dice.integers(1, 8))
    matrix = dice.random((rows, users)) * (dice.random((rows, users)) < 0.6)
    most = dice.random(users) * 32
    least = np.where(dice.random(users) < 0.5, 0.0, np.minimum(most, 1.0))
    weight = dice.choice([0.5, 1.0, 2.0], users)
    room = matrix @ least + dice.random(rows) * 40
    row, user = np.nonzero(matrix)
    found = fill(Pairs(row, user, matrix[row, user], rows, users), room, least, most, weight)
    assert (matrix @ found <= room + 1e-6).all()
    assert np.allclose(found, plainly(matrix, room, least, most, weight), atol=1e-4)
