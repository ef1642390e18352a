"""Run the server until it is told to stop."""

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable

import structlog
import uvloop

from pilotwire.app.server import Server
from pilotwire.settings import Settings

__all__ = ["run_server"]

log = structlog.get_logger(__name__)

_SAME_SIGNAL_S = 2.0

Beside = Callable[[Server, asyncio.Event], Awaitable[None]]


def run_server(
    settings: Settings,
    *,
    announce: Callable[[Server], None],
    progress: Callable[[str], None] | None = None,
    prepare: Callable[[Server], Awaitable[None]] | None = None,
    beside: Beside | None = None,
) -> None:
    """Run the server; SIGTERM and SIGINT drain it, a second one ends it at once, SIGHUP reads certificates again.

    `prepare` runs before the server is announced as ready, `beside` next to it until the stop.
    """
    uvloop.run(_run(settings, announce, progress, prepare, beside))


async def _run(
    settings: Settings,
    announce: Callable[[Server], None],
    progress: Callable[[str], None] | None,
    prepare: Callable[[Server], Awaitable[None]] | None,
    beside: Beside | None,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    told_at = 0.0

    def stop_or_quit() -> None:
        nonlocal told_at
        # A launcher in between (make, uv) may pass on the Ctrl-C that the terminal has sent us already.
        if stop.is_set() and loop.time() - told_at > _SAME_SIGNAL_S:
            os._exit(130)
        if not stop.is_set():
            told_at = loop.time()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_or_quit)
    server = Server(settings)
    starting = asyncio.create_task(server.start(progress))
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return
    await starting
    loop.add_signal_handler(signal.SIGHUP, lambda: server.edge.listener.reload_tls() and None)
    try:
        if prepare is not None:
            await prepare(server)
        # What lives as long as the process need not be looked at by every collection; cycles are rare here.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 50, 100)
        announce(server)
        company = None if beside is None else asyncio.create_task(_beside(beside, server, stop))
        await waiting
        if company is not None:
            await company
    finally:
        await server.stop()


async def _beside(beside: Beside, server: Server, stop: asyncio.Event) -> None:
    try:
        await beside(server, stop)
    finally:
        stop.set()
