"""No fuse ever carries more than it bears: not by orders, and not by what stations do when nobody orders."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotwire.domain.energy.validation import problems_of
from tests.unit.domain.energy.campaign import World, excesses, random_site

CAMPAIGN = 10_000
PARTS = 8


def run(seed: int) -> None:
    """One site through up to eight turns of trouble; after each, everything that might be drawn must fit."""
    world = World.of(seed)
    if not world.fuses_bear_what_cannot_be_told():
        return
    dice = random.Random(seed + 1)
    defaults = {name: station.claim(3)[:1] * 3 for name, station in world.stations.items()}
    worst_base = {node.id: node.base_a for node in world.site.nodes}
    assert not excesses(world.site, defaults, worst_base), (
        f"seed {seed}: the offline bounds alone are too much"
    )
    for turn in range(dice.randint(2, 6)):
        world.pass_time()
        world.tell()
        assert not (over := excesses(world.site, world.allocated(), world.base_a)), (
            f"seed {seed}, {turn}: {over}"
        )
        alone = world.by_themselves()
        assert not (over := excesses(world.site, alone, world.base_a)), f"seed {seed}, {turn} alone: {over}"
    for (
        station
    ) in world.stations.values():  # the server vanishes; every order that is on its way may still arrive
        station.obeys_a = max([station.obeys_a or 0.0, *station.sent_a])
    assert not (over := excesses(world.site, world.by_themselves(), world.base_a)), (
        f"seed {seed}, at the end: {over}"
    )


@given(st.integers(min_value=10**6))
@settings(max_examples=60, deadline=None)
def test_no_fuse_is_overdrawn_whatever_vanishes(seed: int) -> None:
    run(seed)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_ten_thousand_worlds(part: int) -> None:
    for seed in range(part, CAMPAIGN, PARTS):
        run(seed)


def test_the_campaign_is_not_idle() -> None:
    """Most worlds are safe to begin with and give real current to real cars, or the campaign would show nothing."""
    counted = charging = 0
    for seed in range(200):
        world = World.of(seed)
        assert problems_of(random_site(random.Random(seed))) == []
        if not world.fuses_bear_what_cannot_be_told():
            continue
        counted += 1
        for _ in range(4):
            world.pass_time()
            charging += any(allocation.limit_a > 0 for allocation in world.tell().allocations)
    assert counted > 120
    assert charging > counted * 2
