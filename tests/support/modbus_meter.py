"""A meter that is asked over Modbus TCP, and may fall silent as a real one does: connected, and without an answer."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

__all__ = ["ModbusMeter", "modbus_meter"]

_HEADER = struct.Struct(">HHHBBHH")  # transaction, protocol, length, unit, function, address, count
REGISTERS_AT = 100


@dataclass
class ModbusMeter:
    """The currents of three phases as float32 from register 100 on."""

    current_a: Callable[[], tuple[float, float, float]]
    port: int = 0
    silent: bool = False
    asked: int = 0
    """How often it was asked while it was silent."""
    _tasks: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def source(self) -> dict[str, object]:
        """How the server is told to ask it."""
        registers = {
            f"current_l{number + 1}_a": {"address": REGISTERS_AT + 2 * number, "type": "float32"}
            for number in range(3)
        }
        return {
            "kind": "modbus",
            "host": "127.0.0.1",
            "port": self.port,
            "interval_s": 1,
            "registers": registers,
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        self._tasks.add(writer)
        try:
            while True:
                asked = _HEADER.unpack(await reader.readexactly(_HEADER.size))
                if self.silent:
                    self.asked += 1
                    continue
                transaction, _, _, unit, function, address, count = asked
                words = struct.pack(">3f", *self.current_a())
                start = 2 * (address - REGISTERS_AT)
                wanted = words[start : start + 2 * count]
                body = struct.pack(">BBB", unit, function, len(wanted)) + wanted
                writer.write(struct.pack(">HHH", transaction, 0, len(body)) + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
        finally:
            self._tasks.discard(writer)

    def hang_up(self) -> None:
        """End all connections."""
        for writer in self._tasks:
            writer.close()


@asynccontextmanager
async def modbus_meter(current_a: Callable[[], tuple[float, float, float]]) -> AsyncIterator[ModbusMeter]:
    """Run a meter that shows these currents."""
    meter = ModbusMeter(current_a)
    server = await asyncio.start_server(meter.serve, "127.0.0.1", 0)
    meter.port = server.sockets[0].getsockname()[1]
    try:
        yield meter
    finally:
        server.close()
        meter.hang_up()
