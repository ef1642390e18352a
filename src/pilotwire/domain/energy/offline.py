"""What each station may draw when nobody tells it anything: parts whose sum every fuse bears on every phase."""

import numpy as np

from pilotwire.domain.energy.filling import Floats, fill
from pilotwire.domain.energy.network import Network
from pilotwire.domain.energy.stepping import admit, stepped_down

__all__ = ["offline_bounds", "tightest_room"]


def offline_bounds(network: Network) -> Floats:
    """Return the stand-alone limit of every EVSE in A per conductor, 0 where none is left for it. Shapes: (E,).

    Room is the tightest that any window of any limit will leave, less margin and declared base load, times the site's
    share. Stations that cannot be told to stop take theirs first. Minimum currents go to as many as fit, in the order of
    the site; the rest is divided evenly if the site's rule says so, then rounded down to what the stations can be set to.
    """
    rule = network.site.offline
    room = tightest_room(network)
    pairs = network.pairs(network.legs_mask, even=False)
    bound = np.where(network.sheddable, 0.0, network.max_a)
    room = np.minimum((room - pairs.use(bound)), room * rule.share)
    can = network.sheddable & (rule.share > 0)
    taken = admit(pairs, room, np.where(can, network.min_a, 0.0), np.flatnonzero(can))
    least = np.where(taken, network.min_a, 0.0)
    if rule.equal:
        most = np.where(taken, network.max_a, 0.0)
        least = fill(pairs, room, least, most, np.ones(network.size))
    return np.asarray(bound + stepped_down(network, least))


def tightest_room(network: Network) -> Floats:
    """Return what every row leaves to chargers at the worst of all times: every window holds, base load is as declared."""
    base = network.declared_base()
    return network.room(network.tightest_limits(), base, network.base_power(base))
