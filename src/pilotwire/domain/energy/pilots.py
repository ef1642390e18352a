"""From the plan to the next minutes: what the safety loop is asked to give each EVSE now."""

from collections.abc import Mapping

from pilotwire.domain.energy.exchange import Plan, PlanRequest
from pilotwire.domain.energy.network import Network

__all__ = ["wishes_of"]


def wishes_of(network: Network, plan: Plan, request: PlanRequest, at_s: float) -> Mapping[str, float]:
    """Return the planned current by EVSE at a moment, in A per conductor, fit for stations with a least current.

    Where the plan gives a car all that it still wants within the present step, and that is less than its station's least
    current, the wish is that least current: the car ends by itself, and would otherwise wait for its last bit for ever.
    """
    step = max((k for k, start in enumerate(plan.starts_s) if start <= at_s), default=0)
    wanted = {car.session_id: car.energy_wh for car in request.cars}
    found = {}
    for car in plan.cars:
        number = network.evse_index.get(car.evse_id)
        if number is None:
            continue
        current = max(car.current_a[step], 0.0)
        energy = wanted.get(car.session_id)
        later = any(a > 1e-3 for a in car.current_a[step + 1 :])
        ends_here = energy is not None and current > 1e-3 and not later and car.unmet_wh < 1.0
        least = float(network.min_a[number])
        found[car.evse_id] = max(current, least) if ends_here else current
    return found
