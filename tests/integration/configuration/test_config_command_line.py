"""`pilotwire config` against a running server."""

import json
from pathlib import Path

import pytest

from pilotwire.app.remote_config import entries_of
from pilotwire.app.server import Server
from pilotwire.core.errors import Invalid
from tests.integration.operations.test_command_line import run, server  # noqa: F401 - a fixture
from tests.support.devices import Keys
from tests.support.stations import station


async def test_from_reading_to_a_repaired_station(
    server: Server,  # noqa: F811
    tmp_path: Path,
) -> None:
    device = Keys(
        {
            "HeartbeatInterval": ("300", False),
            "NumberOfConnectors": ("2", True),
            "AuthorizationKey": ("0123456789abcdef", False),
        }
    )
    async with station(server.stations_url, "CP-1", "1.6", answer=device.answer) as cp:
        await cp.boot()
        read = await run(server, "config", "read", "CP-1")
        assert (read.exit_code, "CP-1  done  read" in read.output) == (0, True), read.output
        shown = await run(server, "config", "show", "CP-1")
        assert "OCPPCommCtrlr/HeartbeatInterval = 300 s  [HeartbeatInterval]" in shown.output
        assert "ChargingStation/NumberOfConnectors = 2  [NumberOfConnectors]  read-only" in shown.output
        assert "SecurityCtrlr/BasicAuthPassword = (secret)" in shown.output
        assert "0123456789abcdef" not in shown.output
        found = await run(server, "config", "show", "CP-1", "heartbeat")
        assert "NumberOfConnectors" not in found.output
        written = await run(server, "config", "set", "CP-1", "HeartbeatInterval=60")
        assert (written.exit_code, device.written) == (0, [("HeartbeatInterval", "60")]), written.output
        settings = tmp_path / "settings.json"
        settings.write_text(json.dumps({"HeartbeatInterval": 120}))
        added = await run(server, "config", "template", "add", "--vendor", "Acme", "--file", str(settings))
        assert "OCPPCommCtrlr/HeartbeatInterval = 120" in added.output, added.output
        template_id = added.output.split()[0]
        for _ in range(200):
            drift = await run(server, "config", "drift", "CP-1")
            if drift.exit_code:
                break
        assert "is 60, should be 120  (different)" in drift.output
        assert "CP-1  1 settings" in (await run(server, "config", "drift")).output
        repaired = await run(server, "config", "repair", "--all")
        assert repaired.exit_code == 0, repaired.output
        for _ in range(200):
            drift = await run(server, "config", "drift")
            if not drift.exit_code:
                break
        assert drift.output == ""
        assert device.values["HeartbeatInterval"] == ("120", False)
        changed = await run(server, "config", "template", "change", template_id, "HeartbeatInterval=90")
        assert "= 90" in changed.output
        assert template_id in (await run(server, "config", "template", "list")).output
        assert (await run(server, "config", "template", "remove", template_id)).exit_code == 0
        assert (await run(server, "config", "template", "list")).output == ""


async def test_wrong_use_is_told(server: Server) -> None:  # noqa: F811
    assert "name stations" in (await run(server, "config", "repair")).output
    assert "--for" in (await run(server, "config", "template", "add", "A=1", "--for", "moon:1")).output
    assert "give settings" in (await run(server, "config", "template", "change", "x")).output


def test_settings_from_texts_and_files(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text('[{"component": "C", "variable": "V", "value": "1"}]')
    assert entries_of(["C/V=a=b"], file) == [
        {"component": "C", "variable": "V", "value": "1"},
        {"name": "C/V", "value": "a=b"},
    ]
    file.write_text("{")
    with pytest.raises(Invalid, match="JSON"):
        entries_of([], file)
    file.write_text("3")
    with pytest.raises(Invalid, match="an object"):
        entries_of([], file)
    with pytest.raises(Invalid, match="NAME=VALUE"):
        entries_of(["nothing"])
