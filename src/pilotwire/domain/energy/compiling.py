"""From the site model to arrays: which current of which charger counts in which row, and by how much.

Currents of different phase angle (chargers between two lines, transformers delta-star) add as vectors; their magnitude
is bounded by rows in directions `FACET_DEG` apart, each fitted by the cosine of half that angle, so the rows lie inside
the true limit by at most 0.1 %.
"""

import cmath
import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotwire.domain.energy.filling import Floats, Ints
from pilotwire.domain.energy.model import Connection, Evse, Metering, Node, Site
from pilotwire.domain.energy.network import Network, Row, limit_of

__all__ = ["FACET_DEG", "compile_site"]

FACET_DEG = 5.0
_TURN = cmath.exp(-2j * math.pi / 3)
_PHASORS = (1.0 + 0j, _TURN, _TURN * _TURN)


def compile_site(site: Site) -> Network:
    """Turn a valid site into arrays. Raises: KeyError where `validation.problems_of` would have found a fault."""
    node_index = {node.id: number for number, node in enumerate(site.nodes)}
    parent = np.array(
        [node_index[n.parent_id] if n.parent_id is not None else -1 for n in site.nodes], np.int64
    )
    above = tuple(_path(parent, number) for number in range(len(site.nodes)))
    evse_node = np.array([node_index[evse.node_id] for evse in site.evses], np.int64)
    rows, entries = _rows(site, above, evse_node)
    row, evse, leg, coef = (np.array(column) for column in zip(*entries, strict=True)) if entries else _EMPTY
    order = np.lexsort((leg, evse, row))
    vectors = np.zeros((len(site.evses), 3, 3), complex)
    for number, one in enumerate(site.evses):
        for conductor, vector in enumerate(_vectors(one)):
            vectors[number, conductor] = vector
    depth = np.array([len(path) for path in above], np.int64)
    transformers = [node.transformer for node in site.nodes]
    return Network(
        site=site,
        node_index=node_index,
        evse_index={evse.id: number for number, evse in enumerate(site.evses)},
        parent=parent,
        levels=tuple(np.flatnonzero(depth == d) for d in range(int(depth.max(initial=1)), 0, -1)),
        ratio=np.array([math.inf if t is None else t.ratio for t in transformers]),
        voltage_v=np.array(
            [site.voltage_v / math.prod(t.ratio for k in path if (t := transformers[k])) for path in above]
        ),
        base_a=np.array([node.base_a for node in site.nodes], float).reshape(-1, 3),
        metered=np.array([node.metering is not Metering.NONE for node in site.nodes], bool),
        windowed=np.array([number for number, node in enumerate(site.nodes) if node.windows], np.int64),
        evse_node=evse_node,
        rows=tuple(row for row, _ in rows),
        row_node=np.array([row.node for row, _ in rows], np.int64),
        row_line=np.array([-1 if row.line is None else row.line for row, _ in rows], np.int64),
        row_kind=np.array([_kind(row) for row, _ in rows], np.int64),
        row_limit=np.array([limit_of(site.nodes[row.node], row) for row, _ in rows]),
        row_fit=np.array([loss for _, loss in rows]),
        row_aligned=np.array([row.aligned for row, _ in rows], bool),
        entry_row=row[order].astype(np.int64),
        entry_evse=evse[order].astype(np.int64),
        entry_leg=leg[order].astype(np.int64),
        entry_coef=coef[order].astype(float),
        entry_uneven=np.flatnonzero(
            np.isin(row[order], [k for k, (one, _) in enumerate(rows) if one.other is not None])
        ),
        vectors=vectors,
        legs_mask=np.abs(vectors).sum(axis=2) > 0,
        max_a=np.array([evse.max_a for evse in site.evses]),
        min_a=np.array([max(evse.min_a, evse.steps_a[0] if evse.steps_a else 0.0) for evse in site.evses]),
        watts_per_amp=np.array([evse.watts_per_amp() for evse in site.evses]),
        sheddable=np.array([evse.sheddable for evse in site.evses], bool),
        step_groups=_step_groups(site),
    )


_EMPTY = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
Entry = tuple[int, int, int, float]
_LineVectors = NDArray[np.complex128]


def _path(parent: Ints, number: int) -> tuple[int, ...]:
    found = []
    while number >= 0:
        found.append(number)
        number = int(parent[number])
    return tuple(found)


def _step_groups(site: Site) -> tuple[tuple[Floats, Ints], ...]:
    groups: dict[tuple[float, ...], list[int]] = {}
    for number, evse in enumerate(site.evses):
        if evse.steps_a:
            groups.setdefault(evse.steps_a, []).append(number)
    return tuple((np.array(steps), np.array(members, np.int64)) for steps, members in groups.items())


def _kind(row: Row) -> int:
    if row.other is not None:
        return 3
    return 2 if row.line is None else int(row.primary)


def _vectors(evse: Evse) -> list[_LineVectors]:
    """The line currents that 1 A on each conductor causes: a complex vector over L1, L2, L3 per conductor."""
    if evse.connection is Connection.DELTA and len(evse.lines) == 2:
        first, second = evse.lines
        if (second - first) % 3 == 2:  # between L1 and L3: the same as between L3 and L1
            first, second = second, first
        vector = np.zeros(3, complex)
        along = _PHASORS[first] - _PHASORS[second]
        vector[first] = along / abs(along)
        vector[second] = -vector[first]
        return [vector]
    found = []
    for line in evse.lines:
        vector = np.zeros(3, complex)
        vector[line] = _PHASORS[line]
        found.append(vector)
    return found


def _rows(
    site: Site, above: tuple[tuple[int, ...], ...], evse_node: Ints
) -> tuple[list[tuple[Row, float]], list[Entry]]:
    """All rows with the part of the limit that their facets leave, and their entries, node by node."""
    kinds: dict[Any, int] = {}
    members: list[list[int]] = []
    for number, evse in enumerate(site.evses):
        kind = (evse.node_id, evse.lines, evse.connection)
        if kind not in kinds:
            kinds[kind] = len(members)
            members.append([])
        members[kinds[kind]].append(number)
    reaching: list[list[tuple[int, list[_LineVectors], list[_LineVectors]]]] = [[] for _ in site.nodes]
    for group in members:
        vectors = _vectors(site.evses[group[0]])
        for place in above[evse_node[group[0]]]:
            transformer = site.nodes[place].transformer
            lifted = vectors
            if transformer is not None:
                lifted = [(v - np.roll(v, 1)) / (transformer.ratio * math.sqrt(3)) for v in vectors]
            for number in group:
                reaching[place].append((number, vectors, lifted))
            vectors = lifted
    rows: list[tuple[Row, float]] = []
    entries: list[Entry] = []
    for place, node in enumerate(site.nodes):
        _node_rows(place, node, site, reaching[place], (rows, entries))
    return rows, entries


def _node_rows(
    place: int,
    node: Node,
    site: Site,
    reaching: list[tuple[int, list[_LineVectors], list[_LineVectors]]],
    into: tuple[list[tuple[Row, float]], list[Entry]],
) -> None:
    rows, entries = into
    if node.limit_a is not None or any(window.limit_a is not None for window in node.windows):
        for line in range(3):
            seen = [(number, leg, v[line]) for number, vs, _ in reaching for leg, v in enumerate(vs)]
            _facets(Row(place, line), seen, rows, entries)
    if node.transformer is not None and node.transformer.primary_limit_a is not None:
        for line in range(3):
            seen = [(number, leg, v[line]) for number, _, vs in reaching for leg, v in enumerate(vs)]
            _facets(Row(place, line, primary=True), seen, rows, entries)
    if node.limit_w is not None or any(window.limit_w is not None for window in node.windows):
        rows.append((Row(place, None), 1.0))
        for number, vectors, _ in reaching:
            watts = site.evses[number].watts_per_amp() / len(vectors)
            entries += [(len(rows) - 1, number, leg, watts) for leg in range(len(vectors))]
    if node.unbalance_a is not None:
        for line, other in ((a, b) for a in range(3) for b in range(3) if a != b):
            rows.append((Row(place, line, other=other), 1.0))
            for number, vectors, _ in reaching:
                entries += _unbalance(len(rows) - 1, number, vectors, (line, other))


def _unbalance(row: int, number: int, vectors: list[_LineVectors], lines: tuple[int, int]) -> list[Entry]:
    """A conductor counts on its line, and not to the credit of the other: it may stop. Even loads are left out later."""
    return [
        (row, number, leg, size)
        for leg, vector in enumerate(vectors)
        if (size := abs(vector[lines[0]])) > 1e-12 and abs(vector[lines[1]]) < 1e-12
    ]


def _facets(
    row: Row, seen: list[tuple[int, int, complex]], rows: list[tuple[Row, float]], entries: list[Entry]
) -> None:
    """One row where all currents have one angle, else one per direction in which they can add up."""
    present = [(number, leg, value) for number, leg, value in seen if abs(value) > 1e-12]
    angles = sorted({round(math.degrees(cmath.phase(value)) % 360, 6) for _, _, value in present})
    if len(angles) <= 1:
        own = round(math.degrees(cmath.phase(_PHASORS[row.line or 0])) % 360, 6)
        rows.append((replace(row, aligned=not row.primary and (not angles or angles[0] == own)), 1.0))
        entries += [(len(rows) - 1, number, leg, abs(value)) for number, leg, value in present]
        return
    directions, loss = _directions(angles)
    seen_already: set[tuple[float, ...]] = set()
    for degrees in directions:
        turn = cmath.exp(-1j * math.radians(degrees))
        pattern = tuple(round(max(0.0, (cmath.exp(1j * math.radians(a)) * turn).real), 9) for a in angles)
        if pattern in seen_already:
            continue
        seen_already.add(pattern)
        rows.append((row, loss))
        for number, leg, value in present:
            part = (value * turn).real
            if part > 1e-9:
                entries.append((len(rows) - 1, number, leg, part))


def _directions(angles: list[float]) -> tuple[list[float], float]:
    """Directions no more than FACET_DEG apart over the cone that the angles span, and the cosine of half the spacing."""
    gaps = [((angles[(k + 1) % len(angles)] - a) % 360 or 360.0, k) for k, a in enumerate(angles)]
    widest, after = max(gaps)
    if widest < 180:
        count = math.ceil(360 / FACET_DEG)
        return [k * 360 / count for k in range(count)], math.cos(math.pi / count)
    start, span = angles[(after + 1) % len(angles)], 360 - widest
    count = max(1, math.ceil(span / FACET_DEG))
    return [start + k * span / count for k in range(count + 1)], math.cos(math.radians(span / count / 2))
