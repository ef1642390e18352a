"""Numbers in the registers of a Modbus device."""

import struct
from collections.abc import Mapping, Sequence

from pymodbus.client import AsyncModbusTcpClient

from pilotwire.domain.energy.meter_sources import Field, Register, SourceFailed

__all__ = ["decode", "read_block", "read_registers"]

_FORMATS = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "int64": ">q",
    "uint64": ">Q",
    "float32": ">f",
    "float64": ">d",
}


async def read_block(
    client: AsyncModbusTcpClient, unit: int, address: int, count: int, table: str = "holding"
) -> list[int]:
    """Read registers. Raises: SourceFailed when the device refuses."""
    read = client.read_holding_registers if table == "holding" else client.read_input_registers
    answer = await read(address, count=count, device_id=unit)
    if answer.isError() or len(answer.registers) != count:
        raise SourceFailed(
            f"the device does not give {count} {table} registers from {address}: {answer}"[:300]
        )
    return list(answer.registers)


def decode(registers: Sequence[int], kind: str, words: str = "big") -> float:
    """Make a number of registers."""
    ordered = registers if words == "big" else list(reversed(registers))
    packed = struct.pack(f">{len(ordered)}H", *ordered)
    return float(struct.unpack(_FORMATS[kind], packed)[0])


async def read_registers(
    client: AsyncModbusTcpClient, unit: int, registers: Mapping[Field, Register]
) -> dict[str, float]:
    """Read every field's number. Raises: SourceFailed."""
    found: dict[str, float] = {}
    for name, each in registers.items():
        size = struct.calcsize(_FORMATS[each.type]) // 2
        block = await read_block(client, unit, each.address, size, each.table)
        found[name] = decode(block, each.type, each.words) * each.factor
    return found
