"""Makes and models: stations as they are found along real roads, and the cars that come to them.

Serial numbers and registers are invented.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from pilotwire.simulator.car import CarModel
from pilotwire.simulator.model import (
    ConnectorSpec,
    ConnectorType,
    CurrentKind,
    EvseSpec,
    OcppVersion,
    StationSpec,
)


@dataclass(frozen=True, slots=True)
class StationModel:
    """A type of station: every EVSE has the same power and connectors."""

    vendor: str
    model: str
    firmware: str
    current: CurrentKind
    power_w: int
    phases: int
    evses: int
    connectors: tuple[ConnectorType, ...]


STATION_MODELS: dict[str, StationModel] = {
    "alfen_eve": StationModel(
        "Alfen", "Eve Double Pro-line", "6.6.0-4223", "AC", 22_000, 3, 2, ("type2_socket",)
    ),
    "abb_ac": StationModel("ABB", "Terra AC W22-T-0", "1.8.33", "AC", 22_000, 3, 1, ("type2_cable",)),
    "keba_p30": StationModel("KEBA", "KC-P30-ESS400C2", "1.18.1", "AC", 22_000, 3, 1, ("type2_cable",)),
    "mennekes": StationModel("MENNEKES", "AMTRON 4You 560", "1.5.22", "AC", 11_000, 3, 1, ("type2_cable",)),
    "easee": StationModel("Easee", "Charge Max", "327", "AC", 22_000, 3, 1, ("type2_socket",)),
    "wallbox": StationModel("Wallbox", "Pulsar Plus", "6.4.14", "AC", 7_400, 1, 1, ("type2_cable",)),
    "schneider": StationModel(
        "Schneider Electric", "EVlink Pro AC", "3.4.0.17", "AC", 22_000, 3, 2, ("type2_socket",)
    ),
    "evbox_liviqo": StationModel("EVBox", "Liviqo", "P0241B1701", "AC", 11_000, 3, 1, ("type2_socket",)),
    "zaptec": StationModel("Zaptec", "Pro", "4.2.1", "AC", 22_000, 3, 1, ("type2_socket",)),
    "goe": StationModel("go-e", "Charger Gemini flex", "56.2", "AC", 3_700, 1, 1, ("type2_socket",)),
    "abb_terra54": StationModel("ABB", "Terra 54 CJ", "4.1.9.60", "DC", 50_000, 3, 1, ("ccs2", "chademo")),
    "delta_100": StationModel("Delta", "Slim 100", "2.3.7", "DC", 50_000, 3, 2, ("ccs2",)),
    "siemens_d": StationModel("Siemens", "SICHARGE D", "2.14.0", "DC", 150_000, 3, 2, ("ccs2",)),
    "alpitronic": StationModel("alpitronic", "HYC300", "2.5.1", "DC", 150_000, 3, 2, ("ccs2",)),
    "alpitronic_400": StationModel("alpitronic", "HYC400", "2.6.0", "DC", 400_000, 3, 2, ("ccs2",)),
    "kempower": StationModel("Kempower", "Satellite S2", "4.11.2", "DC", 240_000, 3, 2, ("ccs2",)),
    "autel": StationModel("Autel", "MaxiCharger DC HiPwr", "1.61.0", "DC", 320_000, 3, 4, ("ccs2",)),
}

CAR_MODELS: tuple[tuple[CarModel, float], ...] = (
    (
        CarModel(
            "VW ID.3",
            58_000,
            3,
            16,
            ((0, 90e3), (5, 120e3), (30, 120e3), (60, 75e3), (80, 50e3), (100, 8e3)),
            395,
        ),
        9,
    ),
    (
        CarModel(
            "VW ID.4",
            77_000,
            3,
            16,
            ((0, 100e3), (5, 135e3), (35, 135e3), (65, 80e3), (80, 55e3), (100, 9e3)),
            400,
        ),
        10,
    ),
    (
        CarModel(
            "Tesla Model Y",
            75_000,
            3,
            16,
            ((0, 150e3), (5, 240e3), (20, 210e3), (45, 120e3), (70, 75e3), (100, 8e3)),
            360,
        ),
        14,
    ),
    (
        CarModel(
            "Tesla Model 3",
            57_500,
            3,
            16,
            ((0, 120e3), (5, 170e3), (25, 150e3), (55, 90e3), (80, 48e3), (100, 6e3)),
            345,
        ),
        11,
    ),
    (
        CarModel(
            "Renault Zoe", 52_000, 3, 32, ((0, 40e3), (10, 46e3), (40, 42e3), (70, 28e3), (100, 5e3)), 355
        ),
        6,
    ),
    (
        CarModel(
            "Renault Megane E-Tech",
            60_000,
            3,
            32,
            ((0, 90e3), (10, 129e3), (35, 110e3), (80, 45e3), (100, 6e3)),
            370,
        ),
        5,
    ),
    (
        CarModel(
            "Hyundai Ioniq 5",
            74_000,
            3,
            16,
            ((0, 180e3), (10, 225e3), (50, 220e3), (55, 180e3), (80, 120e3), (100, 10e3)),
            680,
        ),
        8,
    ),
    (
        CarModel(
            "Kia EV6", 74_000, 3, 16, ((0, 180e3), (10, 230e3), (50, 225e3), (80, 120e3), (100, 10e3)), 690
        ),
        6,
    ),
    (
        CarModel(
            "Kia Niro EV", 64_800, 3, 16, ((0, 60e3), (10, 80e3), (45, 76e3), (75, 38e3), (100, 6e3)), 358
        ),
        5,
    ),
    (
        CarModel(
            "Fiat 500e", 37_300, 3, 16, ((0, 60e3), (10, 85e3), (35, 70e3), (80, 26e3), (100, 5e3)), 350
        ),
        5,
    ),
    (
        CarModel(
            "Nissan Leaf", 39_000, 1, 29, ((0, 42e3), (20, 46e3), (55, 40e3), (80, 22e3), (100, 4e3)), 355
        ),
        4,
    ),
    (
        CarModel(
            "Peugeot e-208", 45_000, 1, 32, ((0, 80e3), (15, 100e3), (30, 80e3), (80, 28e3), (100, 5e3)), 395
        ),
        6,
    ),
    (
        CarModel(
            "Volvo EX30", 64_000, 3, 16, ((0, 110e3), (8, 153e3), (35, 140e3), (80, 60e3), (100, 8e3)), 380
        ),
        4,
    ),
    (
        CarModel(
            "Porsche Taycan",
            83_700,
            3,
            16,
            ((0, 220e3), (5, 265e3), (40, 250e3), (70, 120e3), (100, 12e3)),
            720,
        ),
        2,
    ),
    (
        CarModel(
            "Mercedes eVito", 60_000, 3, 16, ((0, 60e3), (10, 80e3), (50, 78e3), (80, 40e3), (100, 6e3)), 375
        ),
        3,
    ),
    (CarModel("Dacia Spring", 25_000, 1, 32, ((0, 25e3), (20, 30e3), (60, 26e3), (100, 4e3)), 240), 3),
    (CarModel("VW Golf GTE", 10_600, 2, 16, ((0, 3.6e3), (100, 3.6e3)), 345), 4),
)
PLUG_IN_HYBRIDS = {"VW Golf GTE"}
"""Cars without a socket for direct current."""


def pick_car(rng: random.Random, current: CurrentKind) -> CarModel:
    """A car by its share on the road; at a DC station one that can use it."""
    fitting = [
        (model, share) for model, share in CAR_MODELS if current == "AC" or model.name not in PLUG_IN_HYBRIDS
    ]
    return rng.choices([model for model, _ in fitting], [share for _, share in fitting])[0]


def make_station(
    key: str, identity: str, version: OcppVersion, rng: random.Random, *, evses: int | None = None
) -> StationSpec:
    """A station of a model with an invented serial number and registers of some years of use.

    A 1.6 station cannot say that two connectors share an EVSE: only the first of each is built there.
    """
    model = STATION_MODELS[key]
    kinds = model.connectors[:1] if version == "1.6" else model.connectors
    connectors = tuple(ConnectorSpec(number, kind) for number, kind in enumerate(kinds, start=1))
    built = tuple(
        EvseSpec(
            id=number,
            current=model.current,
            max_power_w=model.power_w,
            phases=model.phases,
            connectors=connectors,
            register_wh=rng.randrange(400_000, 40_000_000 if model.current == "DC" else 9_000_000),
        )
        for number in range(1, (evses or model.evses) + 1)
    )
    serial = f"{model.vendor[:2].upper()}{rng.randrange(10**9):09d}"
    return StationSpec(identity, version, model.vendor, model.model, serial, model.firmware, built)
