"""A VTN of OpenADR 2.0b for tests: openleadr's own server in a process of its own, led by lines of JSON.

Commands come on standard input, what happens goes to standard output, one JSON object a line.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from openleadr import OpenADRServer, enable_default_logging  # type: ignore[import-untyped]
from openleadr.utils import certificate_fingerprint  # type: ignore[import-untyped]

VEN, REGISTRATION = "ven-1", "registration-1"
enable_default_logging()


def tell(kind: str, **what: Any) -> None:
    sys.stdout.write(json.dumps({"kind": kind, **what}, default=str) + "\n")
    sys.stdout.flush()


class Vtn:
    """What the server was told to do, and what it asks of VENs. What it sends out is checked by openleadr itself."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.known = False
        more: dict[str, Any] = {}
        self.fingerprint = None
        if "cert" in options:
            more = {"http_cert": options["cert"], "http_key": options["key"], "http_ca_file": options["ca"]}
            self.fingerprint = certificate_fingerprint(Path(options["ven_cert"]).read_text())
        self.server = OpenADRServer(
            vtn_id="test-vtn",
            http_port=options["port"],
            ven_lookup=self.look_up,
            verify_message_signatures=False,
            show_fingerprint=False,
            **more,
        )
        self.server.add_handler("on_create_party_registration", self.register)
        self.server.add_handler("on_register_report", self.offered)

    def look_up(self, ven_id: str) -> dict[str, Any] | None:
        if ven_id != VEN or not self.known:
            return None
        return {"ven_id": VEN, "registration_id": REGISTRATION, "fingerprint": self.fingerprint}

    async def register(self, given: dict[str, Any]) -> Any:
        tell(
            "registered", name=given["ven_name"], profile=given["profile_name"], pull=given["http_pull_model"]
        )
        if given["ven_name"] != "depot-ven":
            return False
        self.known = True
        return VEN, REGISTRATION

    async def offered(
        self,
        ven_id: str,
        resource_id: Any,
        measurement: str,
        unit: str,
        scale: str,
        min_sampling_interval: Any,
        max_sampling_interval: Any,
    ) -> Any:
        tell("offered", measurement=measurement, unit=unit, scale=scale)
        every = timedelta(seconds=self.options.get("every_s", 3600))
        return lambda values: tell("reported", values=values), every, every

    def event(self, command: dict[str, Any]) -> None:
        start = datetime.now(UTC) + timedelta(seconds=command.get("begin_s", -60))
        intervals = [
            {"dtstart": start, "duration": timedelta(seconds=command["length_s"]), "signal_payload": value}
            for value in command["values"]
        ]
        for number, each in enumerate(intervals):
            each["dtstart"] = start + number * timedelta(seconds=command["length_s"])
        self.server.add_event(
            ven_id=VEN,
            signal_name=command["signal"],
            signal_type=command["type"],
            intervals=intervals,
            event_id=command["id"],
            market_context=command.get("context", "http://shed"),
            callback=self.opted,
        )

    async def opted(self, ven_id: str, event_id: str, opt_type: str) -> None:
        tell("opt", event=event_id, opt=opt_type)
        # openleadr asks for the first answer only; a VEN may change its mind.
        event = next(e for e in self.server.events[VEN] if e.event_descriptor.event_id == event_id)
        self.server.event_callbacks[event_id] = (event, self.opted)

    async def lead(self) -> None:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        await self.server.run()
        tell("ready")
        while line := await reader.readline():
            command = json.loads(line)
            if command["do"] == "event":
                self.event(command)
            elif command["do"] == "cancel":
                self.server.cancel_event(VEN, command["id"])
            elif command["do"] == "forget":
                self.known = False
            tell("done")
        await self.server.stop()


if __name__ == "__main__":
    asyncio.run(Vtn(json.loads(sys.argv[1])).lead())
