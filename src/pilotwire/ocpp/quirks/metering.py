"""Quirks of meter values."""

from functools import partial

from pilotwire.ocpp.quirks.model import Quirk, Section

__all__ = ["QUIRKS"]

_quirk = partial(Quirk, section=Section.METERING, always=True)
_folded = partial(_quirk, where="domain.sessions.metering")
_repair = partial(_quirk, where="ocpp.codec.lenient")

QUIRKS: tuple[Quirk, ...] = (
    _quirk(
        name="register_in_kwh",
        summary="Labels kWh as Wh: noticed by the register at the start, multiplied, and marked for a look.",
        reported="OpenEVSE#703, ocpp-cp-simulator#83",
        where="domain.sessions.registers",
    ),
    _quirk(
        name="register_relative",
        summary="States the lifetime register at the start and counts the samples from zero (Grizzl-E): noticed, "
        "added, and marked for a look.",
        reported="lbbrhzn/ocpp#2093",
        where="domain.sessions.registers",
    ),
    _folded(
        name="unit_missing",
        summary="Leaves out the unit, or writes it in another letter case: energy without a unit is in Wh.",
        reported="OpenEVSE#703, ocpp-cp-simulator#83",
    ),
    _repair(
        name="value_as_text",
        summary="Gives numbers as texts.",
        reported="OpenEVSE#703, ocpp-cp-simulator#83",
        deviation="text_as_number",
    ),
    _repair(
        name="value_as_number",
        summary="Gives numbers where OCPP 1.6 has texts.",
        reported="OpenEVSE#703, ocpp-cp-simulator#83",
        deviation="number_as_text",
    ),
    _folded(
        name="fractional_wh",
        summary="Reports fractions of a Wh in samples: they are kept.",
        reported="OpenEVSE#703, ocpp-cp-simulator#83",
    ),
    _repair(
        name="meter_stop_fractional",
        summary="States a fraction of a Wh at the start or the end of a transaction: it is rounded.",
        reported="OpenEVSE#703, ocpp-cp-simulator#83",
        deviation="fraction_rounded",
    ),
    _folded(
        name="value_not_a_number",
        summary="Sends texts, NaN or absurd numbers as values: they are kept apart and count for nothing.",
        deviation="meter_value_not_a_number",
    ),
    _folded(
        name="phase_to_neutral",
        summary="Labels the current of a phase as `L1-N`.",
    ),
    _folded(
        name="voltage_between_lines",
        summary="Reports voltages between the lines (`L1-L2`): divided by the root of three.",
        deviation="voltage_between_lines",
    ),
    _folded(
        name="lonely_neutral",
        summary="Reports nothing but N: it stands for the whole; beside phases it is left out.",
    ),
    _folded(
        name="total_missing",
        summary="Reports phases without a total: they are summed.",
    ),
    _folded(
        name="total_off",
        summary="Reports a total that is more than 10 % off the sum of its phases: the sum counts.",
        deviation="meter_total_off",
    ),
    _folded(
        name="current_export_for_import",
        summary="Reports the current that a car draws as Current.Export.",
        deviation="current_export_for_import",
    ),
    _quirk(
        name="cluster_sum",
        summary="Reports the sum of a cluster on connector 0 (KEBA): it belongs to no session, also where it names one.",
        where="domain.sessions.decide",
        deviation="station_meter_in_transaction",
    ),
    _quirk(
        name="values_in_pieces",
        summary="Sends the values of one moment in several messages: they are no repetitions.",
        where="domain.sessions.decide",
    ),
    _quirk(
        name="numbers_beyond_reason",
        summary="Sends registers, reservations and ids of 64 bits: what cannot be one is left out or refused.",
        where="ocpp.codec.inbound",
        deviation="number_too_large",
    ),
)
