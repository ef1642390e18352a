"""Leads a VTN of OpenADR 2.0b, openleadr's own, that runs in another process."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.certificates import Authority

__all__ = ["PeerVtn", "peer_vtn"]


@dataclass
class PeerVtn:
    """The VTN and all that it has told."""

    url: str
    pem: str
    process: asyncio.subprocess.Process
    told: list[dict[str, Any]] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)

    async def do(self, what: str, **more: Any) -> None:
        """Command something and wait until it is done."""
        done = self.number("done")
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": what, **more}).encode() + b"\n")
        await self.process.stdin.drain()
        await self.until(lambda: self.number("done") > done)

    def number(self, kind: str) -> int:
        return sum(each["kind"] == kind for each in self.told)

    def opts(self, event_id: str) -> list[str]:
        """The answers to an event, in order."""
        return [each["opt"] for each in self.told if each["kind"] == "opt" and each["event"] == event_id]

    def reported(self) -> list[float]:
        """The values of all reports."""
        return [value for each in self.told if each["kind"] == "reported" for _, value in each["values"]]

    async def until(self, condition: Callable[[], Any], patience_s: float = 60) -> None:
        try:
            async with asyncio.timeout(patience_s):
                while not condition():  # noqa: ASYNC110 - the state of another process
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"not reached; it told {self.told[-10:]}, {self.noise[-20:]}") from None

    async def listen(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            text = line.decode("utf-8", "replace").rstrip()
            if text.startswith("{"):
                self.told.append(json.loads(text))
            elif text:
                self.noise.append(text)


@asynccontextmanager
async def peer_vtn(directory: Path, *, tls: bool = False, every_s: float = 3600) -> AsyncIterator[PeerVtn]:
    """Run a VTN; with `tls` it wants certificates, and `pem` has the VEN's key, certificate and the VTN's root."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options: dict[str, Any] = {"port": port, "every_s": every_s}
    pem = ""
    if tls:
        authority = Authority(directory)
        server, ven = authority.issue_server(), authority.issue_client("depot-ven")
        options |= {
            "cert": str(server.certificate), "key": str(server.key), "ca": str(authority.file),
            "ven_cert": str(ven.certificate),
        }  # fmt: skip
        pem = ven.key.read_text() + ven.certificate.read_text() + authority.file.read_text()
    script = Path(__file__).with_name("vtn2_server.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), json.dumps(options),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/OpenADR2/Simple/2.0b"
    vtn = PeerVtn(url, pem, process)
    listening = asyncio.create_task(vtn.listen())
    try:
        await vtn.until(lambda: vtn.number("ready"))
        yield vtn
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        await listening
