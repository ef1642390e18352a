"""The simulator as a command: it shows what happens and ends with a summary."""

import asyncio
import dataclasses
import signal
import sys

import uvloop

from pilotwire.simulator.demo import generated_network
from pilotwire.simulator.run import SimulatorEvent, SimulatorOptions, Summary, simulate

__all__ = ["run_simulation", "tokens_of"]

_TOLD = frozenset(
    {"refused", "session_started", "session_ended", "fault", "offline", "power_cut", "password_changed"}
)


def run_simulation(options: SimulatorOptions) -> None:
    """Run until the duration is over or Ctrl-C, then print what came of it."""
    summary = uvloop.run(_run(options))
    hidden = ("registers_wh", "passwords")
    for field in dataclasses.fields(summary):
        if field.name not in hidden:
            value = getattr(summary, field.name)
            print(f"{field.name:20} {value:.1f}" if isinstance(value, float) else f"{field.name:20} {value}")  # noqa: T201


def tokens_of(options: SimulatorOptions) -> list[str]:
    """Give the uids of the cards that the simulated drivers present; the server must know them to let them charge."""
    network = options.network or generated_network(
        options.stations, options.versions, options.id_prefix, options.seed
    )
    return [token.uid for token in network.tokens]


async def _run(options: SimulatorOptions) -> Summary:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    told_refusal: set[str] = set()

    def heard(event: SimulatorEvent) -> None:
        if event.kind not in _TOLD or (event.kind == "refused" and event.station in told_refusal):
            return
        if event.kind == "refused":
            told_refusal.add(event.station)
        detail = (
            "" if event.kind == "password_changed" else " ".join(f"{k}={v}" for k, v in event.detail.items())
        )
        print(f"{event.at:%H:%M:%S} {event.station} {event.kind} {detail}", file=sys.stderr)  # noqa: T201

    return await simulate(options, heard, stop)
