"""No fuse ever carries more than it bears: not by orders, and not by what stations do when nobody orders."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotwire.domain.energy.validation import problems_of
from tests.unit.domain.energy.campaign import ROUNDING_A, World, excesses, flows_of, random_site

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


def run_with_battery(seed: int) -> bool:
    """One site on which a battery gives more and more beside the fuses, and then nothing any more.

    While it gives, nobody is promised more than fuses and battery bear together. When it stops, no fuse bears more beyond
    its limit than what the battery gave, and the next orders are such that every fuse bears them alone.

    Returns whether any fuse had been used beyond its limit.
    """
    world = World.of(seed)
    if not world.fuses_bear_what_cannot_be_told():
        return False
    dice = random.Random(seed + 2)
    node, power_w = dice.choice(world.site.nodes).id, 0.0
    for turn in range(dice.randint(2, 6)):
        power_w += dice.choice([0.0, dice.uniform(0, 5e3), dice.uniform(0, 3e4)])
        power_w = min(power_w, world.most_given_w(node))
        world.give(node, power_w)
        world.pass_time()
        world.tell()
        for what, legs in (("", world.allocated()), (" alone", world.by_themselves())):
            over = excesses(world.site, legs, world.base_a, world.gives_w)
            assert not over, f"seed {seed}, {turn}{what}: {over}"
        assert world.last is not None
        alone = excesses(world.site, world.allocated(), world.base_a)
        assert world.last.leans or not alone, f"seed {seed}, {turn}, said not to lean: {alone}"
    gave = flows_of(world.site, {each.id: [] for each in world.site.evses}, {}, world.gives_w)
    world.gives_w = {}
    beyond = excesses(world.site, world.by_themselves(), world.base_a)
    for over in beyond:
        lost = gave.lost(over)
        assert over.carried - over.limit <= lost + ROUNDING_A, f"seed {seed}, {over}: only {lost} was lost"
    world.meters_speak = True
    for station in world.stations.values():
        station.reachable = True
    world.now_s += dice.choice([1.0, 5.0, 10.0])
    world.tell()
    assert not (left := excesses(world.site, world.allocated(), world.base_a)), f"seed {seed}: {left}"
    return bool(beyond)


@given(st.integers(min_value=10**6))
@settings(max_examples=60, deadline=None)
def test_a_battery_that_stops_takes_no_more_than_what_it_gave_and_is_made_up_for_at_once(seed: int) -> None:
    run_with_battery(seed)


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
        run_with_battery(seed)


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
    assert sum(run_with_battery(seed) for seed in range(200)) > 5
