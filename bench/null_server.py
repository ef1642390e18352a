"""A server that only answers, with a canned CALLRESULT to each CALL: the load generator's own ceiling.

`python -m bench null [--ocpp HOST:PORT]` prints the same ready line as the servers that are measured.
"""

import argparse
import asyncio
import contextlib
import signal

import uvloop
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from bench.limits import raise_open_files

_NOW = b'"currentTime":"2026-01-01T00:00:00.000Z"'
_BODIES = {
    b"BootNotification": b"{" + _NOW + b',"interval":300,"status":"Accepted"}',
    b"Heartbeat": b"{" + _NOW + b"}",
    b"StartTransaction": b'{"transactionId":1,"idTagInfo":{"status":"Accepted"}}',
    b"TransactionEvent": b'{"idTokenInfo":{"status":"Accepted"}}',
}


class _Answerer(WSListener):
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            if frame.msg_type == WSMsgType.CLOSE:
                transport.disconnect()
            return
        parts = frame.get_payload_as_bytes()[:96].split(b'"', 4)
        body = _BODIES.get(parts[3], b"{}")
        transport.send(WSMsgType.TEXT, b'[3,"%b",%b]' % (parts[1], body))


def _accept(request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
    offered = str(request.headers.get("Sec-WebSocket-Protocol", "")).split(",")[0].strip()
    response = WSUpgradeResponse.create_101_response({"Sec-WebSocket-Protocol": offered} if offered else None)
    return WSUpgradeResponseWithListener(response, _Answerer())


async def serve(host: str, port: int) -> None:
    """Answer until SIGTERM or SIGINT."""
    server = await ws_create_server(
        _accept, host, port, backlog=4096, read_buffer_init_size=2048, websocket_handshake_timeout=60
    )
    bound = server.sockets[0].getsockname()[1]
    print(f"bench ready ocpp=ws://{host}:{bound}/ocpp", flush=True)
    stop = asyncio.Event()
    for sig in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sig, stop.set)
    await stop.wait()
    server.close()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench null", description=__doc__)
    parser.add_argument("--ocpp", default="127.0.0.1:0", metavar="HOST:PORT")
    host, _, port = parser.parse_args(arguments).ocpp.rpartition(":")
    raise_open_files()
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(host, int(port)))
    return 0
