"""A stationary battery with a Modbus interface: an inverter (model 103) and a storage control (model 124) of SunSpec.

It obeys what is written to the storage control, and falls back to its own ways when nothing was written for as long as
its revert timer says. Spec: SunSpec Device Information Model Specification; register layout of models 1, 103 and 124.
"""

from __future__ import annotations

import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from pilotwire.simulator.model import MAINS_VOLTAGE_V

__all__ = ["Storage", "serve_storage"]

_BASE = 40_000
_COMMON, _INVERTER, _STORAGE = (1, 66), (103, 50), (124, 24)
_INVERTER_AT = 2 + 2 + _COMMON[1]
_STORAGE_AT = _INVERTER_AT + 2 + _INVERTER[1]
_POINTS_AT = _STORAGE_AT + 2
_NONE_U, _NONE_S = 0xFFFF, 0x8000
_BOTH = 0b11
# Places within model 124, behind its length.
_MODE, _OUT, _IN, _REVERT = 3, 10, 11, 13
_WRITABLE = (0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15)


class Storage:
    """A battery and what was written to it. Powers are positive when it gives. Units: Wh, W.

    `ignores`: it takes every order and does nothing about it. `loss_w`: it gives so much less than it is told.
    """

    def __init__(
        self,
        capacity_wh: float,
        power_w: float,
        *,
        soc_percent: float = 55.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.capacity_wh = capacity_wh
        self.rated_w = power_w
        self.soc_percent = soc_percent
        self.power_w = 0.0
        self.ignores = False
        self.orders = 0
        self._monotonic = monotonic
        self._until = 0.0
        self._points = [_NONE_U] * _STORAGE[1]
        self._start()

    def _start(self) -> None:
        points = self._points
        points[0] = round(self.rated_w / 10)
        points[1] = points[2] = 100
        points[_MODE] = 0
        points[3 + 2] = 500
        points[9] = 6
        points[_OUT] = points[_IN] = 0
        points[12], points[_REVERT], points[14], points[15] = 0, 0, 0, 0
        # Scales: W in tens, percents of gradients and rates with two decimals.
        for place, scale in ((16, 1), (17, 0), (18, 1), (19, -2), (20, -2), (21, 0), (22, 0), (23, -2)):
            points[place] = _word(scale)

    @property
    def revert_s(self) -> int:
        """After how many seconds without an order it falls back; 0: never."""
        return self._points[_REVERT]

    def commanded_w(self) -> float | None:
        """What it was told to do, None: it does as it likes."""
        points = self._points
        if points[_MODE] & _BOTH == 0 or self.ignores:
            return None
        if self.revert_s and self._monotonic() >= self._until:
            points[_MODE] = 0
            return None
        most = _signed(points[_OUT]) / 1e4 * self.rated_w if points[_MODE] & 2 else self.rated_w
        least = -_signed(points[_IN]) / 1e4 * self.rated_w if points[_MODE] & 1 else -self.rated_w
        return min(max(0.0, least), most) if least <= most else 0.0

    def step(self, dt_s: float, otherwise_w: float = 0.0, *, speed: float = 1.0) -> float:
        """Move on by some seconds; give what it does: what it was told, or `otherwise_w`."""
        told = self.commanded_w()
        give_w = otherwise_w if told is None else told
        give_w = min(max(give_w, -self.rated_w), self.rated_w)
        # As with cars: the battery is so much smaller as life goes faster.
        size_wh, hours = self.capacity_wh / speed, dt_s / 3600
        room_wh = (100.0 - self.soc_percent) / 100 * size_wh
        left_wh = max(0.0, self.soc_percent - 5.0) / 100 * size_wh
        give_w = min(max(give_w, -room_wh / hours), left_wh / hours)
        self.soc_percent -= give_w * hours / size_wh * 100
        self.power_w = give_w
        return give_w

    def registers(self) -> list[int]:
        """All registers as they are now, from the base address on."""
        common = [0x2020] * _COMMON[1]
        for at, text in ((0, "Pilotwire"), (16, "Simulated battery"), (48, "1")):
            raw = text.encode().ljust(32, b"\0")
            common[at : at + 16] = struct.unpack(">16H", raw)
        common[64], common[65] = 1, 0
        inverter = [_NONE_U] * _INVERTER[1]
        each_a = abs(self.power_w) / 3 / MAINS_VOLTAGE_V
        inverter[0:5] = [round(each_a * 30), *(round(each_a * 10),) * 3, _word(-1)]
        inverter[8:11], inverter[11] = (round(MAINS_VOLTAGE_V),) * 3, _word(0)
        inverter[12], inverter[13] = _word(round(self.power_w / 10)), _word(1)
        inverter[14], inverter[15] = 5000, _word(-2)
        for place in (16, 18, 20, 28, 30):
            inverter[place] = _NONE_S
        inverter[36] = 4
        points = list(self._points)
        points[6] = round(self.soc_percent * 10)
        points[20] = _word(-1)
        return [
            0x5375, 0x6E53, *_COMMON, *common, *_INVERTER, *inverter, *_STORAGE, *points, 0xFFFF, 0,
        ]  # fmt: skip

    def write(self, place: int, values: list[int]) -> bool:
        """Write registers counted from the base address; False where they cannot be written."""
        places = [place + number - _POINTS_AT for number in range(len(values))]
        if any(each not in _WRITABLE for each in places):
            return False
        for each, value in zip(places, values, strict=True):
            self._points[each] = value
        self._until = self._monotonic() + self.revert_s
        self.orders += 1
        return True


@asynccontextmanager
async def serve_storage(storage: Storage, port: int, host: str = "127.0.0.1") -> AsyncIterator[None]:
    """Answer Modbus TCP for a battery."""

    async def act(
        _: int, start: int, address: int, count: int, current: list[int], values: list[Any] | None
    ) -> Any:
        from pymodbus.constants import ExcCodes

        del count
        if values is not None and not storage.write(address - _BASE, [int(each) for each in values]):
            return ExcCodes.ILLEGAL_ADDRESS
        now = storage.registers()
        first = start - _BASE
        current[:] = now[first : first + len(current)]
        return None

    data = [SimData(_BASE, values=storage.registers(), datatype=DataType.REGISTERS)]
    server = ModbusTcpServer(SimDevice(id=1, simdata=data, action=act), address=(host, port))
    await server.serve_forever(background=True)
    try:
        yield
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


def _word(value: int) -> int:
    return value & 0xFFFF


def _signed(word: int) -> int:
    return word - 0x10000 if word >= 0x8000 else word
