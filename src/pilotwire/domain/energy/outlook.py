"""What is known of a site's hours to come, from its contract and from series that others bring."""

from collections.abc import Iterable

from pilotwire.domain.energy.exchange import Series
from pilotwire.domain.energy.model import Contract

__all__ = ["STEP_S", "prices_of"]

STEP_S = 900.0


def prices_of(
    contract: Contract, known: Iterable[tuple[float, float, float]], since_s: float, until_s: float
) -> Series | None:
    """Give the prices of a span: those of the contract, and over them the `known` (from, until, price per kWh).

    None where nothing is known beside the contract.
    """
    begin_s = since_s // STEP_S * STEP_S
    spans = [span for span in known if span[1] > begin_s and span[0] < until_s]
    if not spans:
        return None
    values = []
    at_s = begin_s
    while at_s < until_s:
        middle_s = max(at_s + STEP_S / 2, since_s)
        price = contract.price_per_kwh
        for window in contract.windows:
            if window.starts_s <= middle_s < window.ends_s:
                price = window.price_per_kwh
        for starts_s, ends_s, value in spans:
            if starts_s <= middle_s < ends_s:
                price = value
        values.append(price)
        at_s += STEP_S
    return Series(begin_s, STEP_S, tuple(values))
