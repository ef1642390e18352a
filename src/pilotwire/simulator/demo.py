"""The network of the demo: four sites in four countries, 24 stations of many makes, their drivers' cards."""

from __future__ import annotations

import random

from pilotwire.simulator.catalogue import STATION_MODELS, make_station
from pilotwire.simulator.model import NetworkSpec, OcppVersion, SiteSpec, StationSpec, TokenSpec

OFFICE = (
    ("alfen_eve", "1.6"),
    ("alfen_eve", "1.6"),
    ("schneider", "2.0.1"),
    ("schneider", "2.0.1"),
    ("keba_p30", "1.6"),
    ("mennekes", "1.6"),
    ("zaptec", "2.0.1"),
)
STREET = (
    ("alfen_eve", "2.0.1"),
    ("easee", "1.6"),
    ("abb_ac", "1.6"),
    ("evbox_liviqo", "2.0.1"),
    ("abb_terra54", "2.0.1"),
    ("delta_100", "1.6"),
)
HUB = (
    ("alpitronic", "1.6"),
    ("alpitronic_400", "2.0.1"),
    ("alpitronic_400", "2.1"),
    ("kempower", "2.0.1"),
    ("siemens_d", "2.1"),
    ("autel", "1.6"),
)
DEPOT = (
    ("wallbox", "1.6"),
    ("goe", "1.6"),
    ("keba_p30", "2.1"),
    ("zaptec", "2.1"),
    ("siemens_d", "2.0.1"),
)

FIRST_NAMES = (
    "Ada",
    "Bram",
    "Chiara",
    "Dario",
    "Elif",
    "Femke",
    "Goran",
    "Hanna",
    "Ivo",
    "Jana",
    "Kasper",
    "Lena",
    "Mateo",
    "Noor",
    "Oskar",
    "Paula",
    "Quentin",
    "Rosa",
    "Sven",
    "Tilda",
    "Umut",
    "Vera",
    "Wim",
    "Xenia",
    "Yusuf",
    "Zofia",
    "Amélie",
    "Björn",
    "Clara",
    "Daan",
)
LAST_NAMES = (
    "Almeida",
    "Bakker",
    "Costa",
    "Dupont",
    "Eriksen",
    "Fischer",
    "García",
    "Horváth",
    "Ivanov",
    "Jansen",
    "Kowalska",
    "Lefèvre",
    "Meyer",
    "Novák",
    "Olsson",
    "Pereira",
    "Rossi",
    "Schmidt",
    "Tavares",
    "Vermeer",
)


def demo_network(seed: int = 1) -> NetworkSpec:
    """The demo's network; the same seed gives the same one."""
    rng = random.Random(f"demo/{seed}")  # noqa: S311 - a simulation
    office = SiteSpec(
        "office-utrecht",
        "Domplaza Offices",
        "office",
        "Papendorpseweg 98",
        "3528 BJ",
        "Utrecht",
        "NL",
        52.0655,
        5.0871,
        "Europe/Amsterdam",
        _stations("NL-UTR", OFFICE, rng),
    )
    street = SiteSpec(
        "street-lyon",
        "Quai de Saône",
        "public",
        "14 Quai Saint-Antoine",
        "69002",
        "Lyon",
        "FR",
        45.7622,
        4.8320,
        "Europe/Paris",
        _stations("FR-LYO", STREET, rng),
    )
    hub = SiteSpec(
        "hub-kassel",
        "Ladepark Kassel-Ost A7",
        "highway",
        "Otto-Hahn-Straße 22",
        "34123",
        "Kassel",
        "DE",
        51.2884,
        9.5498,
        "Europe/Berlin",
        _stations("DE-KAS", HUB, rng),
    )
    depot = SiteSpec(
        "depot-lisboa",
        "Garagem dos Olivais",
        "fleet",
        "Rua Cidade de Bolama 6",
        "1800-079",
        "Lisboa",
        "PT",
        38.7650,
        -9.1110,
        "Europe/Lisbon",
        _stations("PT-LIS", DEPOT, rng),
    )
    return NetworkSpec((office, street, hub, depot), _tokens(rng, 60))


def generated_network(
    count: int, versions: tuple[OcppVersion, ...], prefix: str = "SIM-", seed: int = 1
) -> NetworkSpec:
    """Any number of stations, the versions in turn, on sites of every kind with up to 50 stations each."""
    rng = random.Random(f"generated/{seed}")  # noqa: S311 - a simulation
    keys = list(STATION_MODELS)
    stations = [
        make_station(rng.choice(keys), f"{prefix}{number:04d}", versions[(number - 1) % len(versions)], rng)
        for number in range(1, count + 1)
    ]
    kinds = ("public", "office", "highway", "home", "fleet")
    sites = tuple(
        SiteSpec(
            f"{prefix.lower().strip('-')}-site-{index + 1}",
            f"Simulated site {index + 1}",
            kinds[index % len(kinds)],  # type: ignore[arg-type]
            f"Simulation Street {index + 1}",
            "00000",
            "Simulation City",
            "NL",
            52.0 + index * 0.01,
            5.0,
            "Europe/Amsterdam",
            tuple(stations[index * 50 : index * 50 + 50]),
        )
        for index in range((count + 49) // 50)
    )
    return NetworkSpec(sites, _tokens(rng, max(60, count // 10)))


def _stations(prefix: str, plan: tuple[tuple[str, str], ...], rng: random.Random) -> tuple[StationSpec, ...]:
    return tuple(
        make_station(key, f"{prefix}-{number:02d}", version, rng)  # type: ignore[arg-type]
        for number, (key, version) in enumerate(plan, start=1)
    )


def _tokens(rng: random.Random, count: int) -> tuple[TokenSpec, ...]:
    """RFID cards with 7-byte numbers as NXP gives them (they begin with 04) and their holders."""
    uids: set[str] = set()
    while len(uids) < count:
        uids.add(f"04{rng.getrandbits(48):012X}")
    groups = ("FLEET-A", "FLEET-B", None, None, None, None)
    return tuple(
        TokenSpec(uid, f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}", rng.choice(groups))
        for uid in sorted(uids)
    )
