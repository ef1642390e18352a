"""Registers in the samples that do not fit the one stated at the start of a session.

Some stations state the lifetime register at the start and count the samples from zero (Grizzl-E); others label kWh
as Wh (OpenEVSE). The mode is found once, from the first samples, and kept as a flag of the session. A single odd value
after good ones is no mode: it stays what it is, and the review finds it if it matters.
"""

from decimal import Decimal

import msgspec

from pilotwire.domain.sessions.messages import Sample
from pilotwire.domain.sessions.model import Review, SessionFacts, replace

__all__ = ["LARGEST_REGISTER_WH", "absolute", "with_register_mode"]

LARGEST_REGISTER_WH = 10**12
"""What lies beyond is no register: a station that delivers 1 MW without a pause needs a century for it. Units: Wh."""

_MORE_THAN_A_SESSION_WH = 500_000
_SURE_OF_KWH_WH = 10_000
_MODES = frozenset({Review.REGISTER_RELATIVE, Review.REGISTER_IN_KWH})


def with_register_mode(facts: SessionFacts, samples: tuple[Sample, ...]) -> SessionFacts:
    """Notice a register in the samples that does not fit the one stated at the start."""
    start = facts.stated_start_wh
    if start is None or (facts.flags and facts.flags & _MODES):
        return facts
    if facts.last_meter is not None and facts.last_meter.energy_wh >= start:
        return facts
    values = [sample.energy_wh for sample in samples if sample.energy_wh is not None]
    low = next((value for value in values if value < start), None)
    if low is None or any(value >= start for value in values):
        return facts
    in_wh = low * 1000
    # A kWh register read as Wh is the start's thousandth, or a little more. On a nearly new meter that could as
    # well be a count from zero; then the mode that gives less energy is taken.
    in_kwh = start >= _SURE_OF_KWH_WH and start <= in_wh + 999 and in_wh - start < _MORE_THAN_A_SESSION_WH
    mode = Review.REGISTER_IN_KWH if in_kwh else Review.REGISTER_RELATIVE
    return replace(facts, {"flags": facts.flags | {mode}})


def absolute(facts: SessionFacts, sample: Sample) -> Sample:
    """Give a sample with its energy on the register that the session's start was stated on."""
    value, start = sample.energy_wh, facts.stated_start_wh
    if not facts.flags or value is None or start is None:
        return sample
    if Review.REGISTER_RELATIVE in facts.flags:
        # The lifetime register may come among the others (at the end); no session reaches a large one by itself.
        if value >= start >= _MORE_THAN_A_SESSION_WH:
            return sample
        value += start
    elif Review.REGISTER_IN_KWH in facts.flags and value < start:
        value *= Decimal(1000)
    else:
        return sample
    return msgspec.structs.replace(sample, energy_wh=value) if value < LARGEST_REGISTER_WH else sample
