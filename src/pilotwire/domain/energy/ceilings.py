"""What a car takes of what it is given: learnt from what it draws, so that the rest can go to others.

A car that draws clearly less than its limit for a while gets a ceiling just above what it draws. From time to time the
ceiling is lifted by a step; a car that follows gets more at once, one that does not falls back to what it draws.
"""

import math
from dataclasses import dataclass

import numpy as np

from pilotwire.domain.energy.filling import Flags, Floats

__all__ = ["CeilingSettings", "Ceilings", "learn"]


@dataclass(frozen=True, slots=True)
class CeilingSettings:
    """After `settle_s` of drawing less, the ceiling is set; each `probe_every_s` it is lifted by `probe_a`.

    A car below `idle_a` for `idle_s` is taken for full, until it draws again.
    """

    settle_s: float = 45.0
    probe_every_s: float = 300.0
    probe_a: float = 3.0
    tolerance_a: float = 1.0
    tolerance_share: float = 0.05
    idle_a: float = 0.5
    idle_s: float = 900.0


@dataclass(frozen=True, slots=True, eq=False)
class Ceilings:
    """Per EVSE: the ceiling (infinite: none known), since when it draws less, or nothing, and its last lift. (E,)."""

    ceiling_a: Floats
    short_since_s: Floats
    idle_since_s: Floats
    probed_s: Floats

    @classmethod
    def unknown(cls, size: int) -> "Ceilings":
        """Return the state before any car was seen."""
        return cls(*(np.full(size, math.inf) for _ in range(4)))

    def forget(self, who: Flags) -> "Ceilings":
        """Return the state with nothing known of some EVSEs, as when another car comes."""
        return Ceilings(
            np.where(who, math.inf, self.ceiling_a),
            np.where(who, math.inf, self.short_since_s),
            np.where(who, math.inf, self.idle_since_s),
            np.where(who, math.inf, self.probed_s),
        )

    def idle(self, at_s: float, settings: CeilingSettings) -> Flags:
        """Return which cars have drawn nothing for long though they might."""
        waited: Flags = at_s - self.idle_since_s >= settings.idle_s
        return waited


def learn(
    state: Ceilings, at_s: float, drawn_a: Floats, limit_a: Floats, seen: Flags, settings: CeilingSettings
) -> Ceilings:
    """Take in what cars were seen to draw under their limits. Shapes: all (E,); `drawn_a` is the largest conductor's."""
    on = seen & (limit_a > 0)
    gap = np.maximum(settings.tolerance_a, settings.tolerance_share * limit_a)
    short = on & (drawn_a < limit_a - gap)
    short_since = np.where(
        short, np.minimum(state.short_since_s, at_s), np.where(on, math.inf, state.short_since_s)
    )
    nothing = on & (drawn_a < settings.idle_a)
    idle_since = np.where(
        nothing, np.minimum(state.idle_since_s, at_s), np.where(on, math.inf, state.idle_since_s)
    )
    # The ceiling lies clearly above what is taken for following, or a steady car would seem to follow it upwards.
    settled = short & (at_s - short_since >= settings.settle_s)
    probed = np.where(settled & ~np.isfinite(state.probed_s), at_s, state.probed_s)
    lift = settled & (at_s - probed >= settings.probe_every_s)
    ceiling = np.where(settled, drawn_a + 1.5 * gap, state.ceiling_a)
    ceiling = np.where(lift, drawn_a + 1.5 * gap + settings.probe_a, ceiling)
    short_since = np.where(lift, at_s, short_since)
    probed = np.where(lift, at_s, probed)
    follows = on & ~short & np.isfinite(ceiling)
    ceiling = np.where(follows, np.maximum(ceiling, limit_a + settings.probe_a), ceiling)
    return Ceilings(ceiling, short_since, idle_since, probed)
