"""Stations are moved to safer profiles, and none is lost on the way."""

import asyncio
import ssl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from pilotwire.core.clock import utc_now
from tests.support.edge import migrated_database
from tests.support.stations import station
from tests.support.trust import (
    KeyHolder,
    SecureNetwork,
    secure_network,
    secure_network_on,
    secure_station,
)


class Mover:
    """A station that does what it is told, and notes what it has to do next."""

    def __init__(self, holder: KeyHolder, *, refuses: str = "", reboot: bool = False) -> None:
        self.holder = holder
        self.refuses = refuses
        self.reboot = reboot
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.root_pem = ""
        self.profile = 1
        self.url = ""
        self.asked = asyncio.Event()
        self.told = asyncio.Event()
        self.reset = asyncio.Event()

    def __call__(self, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        self.said.append((action, payload))
        if action == self.refuses:
            return None
        match action:
            case "InstallCertificate":
                self.root_pem = payload["certificate"]
            case "ExtendedTriggerMessage" | "TriggerMessage":
                self.asked.set()
            case "CertificateSigned":
                self.holder.chain_pem = payload["certificateChain"]
            case "ChangeConfiguration":
                self.profile = int(payload["value"])
                self.told.set()
                return {"status": "RebootRequired" if self.reboot else "Accepted"}
            case "GetVariables":
                asked = payload["getVariableData"][0]
                return {
                    "getVariableResult": [{**asked, "attributeStatus": "Accepted", "attributeValue": "0"}]
                }
            case "SetNetworkProfile":
                self.profile = payload["connectionData"]["securityProfile"]
                self.url = payload["connectionData"]["ocppCsmsUrl"]
            case "SetVariables":
                asked = payload["setVariableData"][0]
                place = {"component": asked["component"], "variable": asked["variable"]}
                return {"setVariableResult": [{**place, "attributeStatus": "RebootRequired"}]}
            case "Reset":
                self.reset.set()
        return {"status": "Accepted"}

    def actions(self) -> list[str]:
        return [action for action, _ in self.said]


async def until_step(network: SecureNetwork, identity: str, *steps: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            found = await network.upgrade(identity)
            if found.get("step") in steps:
                return found
            await asyncio.sleep(0.05)


async def start(network: SecureNetwork, identity: str, profile: int) -> None:
    body = {"security_profile": profile}
    answer = await network.http.post(f"/api/v1/stations/{identity}/security-upgrade", json=body)
    assert answer.status_code == 202, answer.text


async def minimum(network: SecureNetwork) -> int:
    profile: int = await network.edge.value("SELECT minimum_security_profile FROM station")
    return profile


@pytest.mark.covers("1.6:InstallCertificate", "1.6:ChangeConfiguration", "1.6:ExtendedTriggerMessage")
@pytest.mark.parametrize("reboot", [False, True])
@pytest.mark.covers("TC_083")
async def test_a_16_station_goes_from_1_to_2_to_3(
    postgres_server: str, tmp_path: Path, *, reboot: bool
) -> None:
    async with secure_network(postgres_server, tmp_path) as network:
        await network.edge.add_stations("CP-1")
        mover = Mover(KeyHolder(tmp_path, "CP-1"), reboot=reboot)
        async with station(network.edge.url, "CP-1", "1.6", answer=mover) as connected:
            await connected.boot()
            await start(network, "CP-1", 2)
            await asyncio.wait_for(mover.told.wait(), 20)
            if reboot:
                await asyncio.wait_for(mover.reset.wait(), 20)
        assert mover.actions() == [
            "InstallCertificate",
            "ChangeConfiguration",
            *(["Reset"] if reboot else []),
        ]
        assert await minimum(network) == 1, "until it is back, the old profile is good"
        async with station(
            network.edge.url, "CP-1", "1.6"
        ) as connected:  # it did not take it up the first time
            await connected.boot()
        context = mover.holder.context(mover.root_pem)
        async with secure_station(network.tls_url, "CP-1", context, "1.6", answer=mover) as connected:
            await connected.boot()
            await until_step(network, "CP-1", "done")
            assert await minimum(network) == 2
            mover.said.clear()
            mover.told.clear()
            await start(network, "CP-1", 3)
            await asyncio.wait_for(mover.asked.wait(), 20)
            await connected.call("SignCertificate", {"csr": mover.holder.csr()})
            await asyncio.wait_for(mover.told.wait(), 20)
            assert mover.profile == 3
        assert mover.actions()[:4] == [
            "InstallCertificate", "ExtendedTriggerMessage", "CertificateSigned", "ChangeConfiguration",
        ]  # fmt: skip
        context = mover.holder.context(mover.root_pem)
        async with secure_station(network.tls_url, "CP-1", context, "1.6", password=None) as connected:
            await connected.boot()
            await until_step(network, "CP-1", "done")
        assert await minimum(network) == 3


@pytest.mark.covers("2.0.1:SetNetworkProfile", "2.1:SetNetworkProfile", "B09", "B10", "A05")
@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@pytest.mark.covers("TC_A_19")
async def test_a_2x_station_gets_a_second_way_and_keeps_the_first(
    postgres_server: str, tmp_path: Path, version: str
) -> None:
    async with secure_network(postgres_server, tmp_path) as network:
        await network.edge.add_stations("CP-1")
        mover = Mover(KeyHolder(tmp_path, "CP-1"))
        async with station(network.edge.url, "CP-1", version, answer=mover) as connected:
            await connected.boot()
            await start(network, "CP-1", 2)
            await asyncio.wait_for(mover.reset.wait(), 20)
            await until_step(network, "CP-1", "restart", "return")
        assert mover.actions() == [
            "InstallCertificate", "GetVariables", "SetNetworkProfile", "SetVariables", "Reset",
        ]  # fmt: skip
        said = dict(mover.said)
        assert said["SetNetworkProfile"]["configurationSlot"] == 1
        assert said["SetVariables"]["setVariableData"][0]["attributeValue"] == "1,0"
        assert said["Reset"]["type"] == "OnIdle"
        context = mover.holder.context(mover.root_pem)
        async with secure_station(mover.url, "CP-1", context, version) as connected:
            await connected.boot()
            done = await until_step(network, "CP-1", "done")
        assert (done["security_profile"], done["finished_at"] is not None) == (2, True)
        assert await minimum(network) == 2


@pytest.mark.parametrize(
    ("version", "refuses", "step"),
    [
        ("1.6", "InstallCertificate", "root"),
        ("1.6", "ChangeConfiguration", "switch"),
        ("2.0.1", "SetNetworkProfile", "switch"),
        ("2.0.1", "SetVariables", "prefer"),
    ],
)
async def test_a_station_that_cannot_is_left_as_it_is(
    postgres_server: str, tmp_path: Path, version: str, refuses: str, step: str
) -> None:
    async with secure_network(postgres_server, tmp_path) as network:
        await network.edge.add_stations("CP-1")
        mover = Mover(KeyHolder(tmp_path, "CP-1"), refuses=refuses)
        async with station(network.edge.url, "CP-1", version, answer=mover) as connected:
            await connected.boot()
            await start(network, "CP-1", 2)
            failed = await until_step(network, "CP-1", "failed")
        assert f"step '{step}'" in failed["detail"]
        assert await minimum(network) == 1
        async with station(network.edge.url, "CP-1", version) as connected:
            await connected.boot()
            await start(network, "CP-1", 2)  # it may be tried again


async def test_a_station_that_does_not_come_back_keeps_its_old_profile(
    postgres_server: str, tmp_path: Path
) -> None:
    """Hours later, after a restart of the server."""
    later = timedelta()

    def clock() -> datetime:
        return utc_now() + later

    dsn = migrated_database(postgres_server)
    async with secure_network_on(dsn, tmp_path, clock=clock) as network:
        await network.edge.add_stations("CP-1")
        mover = Mover(KeyHolder(tmp_path, "CP-1"))
        async with station(network.edge.url, "CP-1", "1.6", answer=mover) as connected:
            await connected.boot()
            await start(network, "CP-1", 2)
            await until_step(network, "CP-1", "return")
    later = timedelta(hours=3)
    async with secure_network_on(dsn, tmp_path, clock=clock) as network:
        failed = await until_step(network, "CP-1", "failed")
        assert "the old one still holds" in failed["detail"]
        async with station(network.edge.url, "CP-1", "1.6") as connected:
            await connected.boot()


async def test_what_cannot_be_begun_is_refused(postgres_server: str, tmp_path: Path) -> None:
    async with secure_network(postgres_server, tmp_path) as network:
        await network.edge.add_stations("CP-1")
        address = "/api/v1/stations/CP-1/security-upgrade"
        body = {"security_profile": 2}
        never = await network.http.post(address, json=body)
        assert (never.status_code, "never been connected" in never.json()["detail"]) == (409, True)
        async with station(network.edge.url, "CP-1", "1.6") as connected:
            await connected.boot()
        plain = await network.http.post(address, json={**body, "url": "ws://example.com/ocpp"})
        assert (plain.status_code, "wss://" in plain.json()["detail"]) == (422, True)
        assert (await network.http.delete(address)).status_code == 409
        assert (await network.http.post(address, json=body)).status_code == 202
        assert (await network.http.post(address, json=body)).status_code == 409
        assert (await network.http.delete(address)).status_code == 204
        stopped = await network.upgrade("CP-1")
        assert (stopped["step"], stopped["detail"]) == ("failed", "cancelled by key:operator")
        unknown = await network.http.get("/api/v1/stations/CP-9/security-upgrade")
        assert unknown.status_code == 404


async def test_the_servers_own_certificate(postgres_server: str, tmp_path: Path) -> None:
    """Made once, kept over a restart, made again for other names; its root is the stations' root."""
    dsn = migrated_database(postgres_server)
    file = tmp_path / "tls" / "server.pem"
    async with secure_network_on(dsn, tmp_path) as network:
        await network.edge.add_stations("CP-1")
        first = file.read_bytes()
        assert (tmp_path / "tls" / "server.key").stat().st_mode & 0o777 == 0o600
        context = ssl.create_default_context(cadata=await network.root_pem())
        async with secure_station(network.tls_url, "CP-1", context) as connected:
            assert (await connected.boot())["status"] == "Accepted"
    async with secure_network_on(dsn, tmp_path):
        assert file.read_bytes() == first
    file.write_bytes(b"broken")
    async with secure_network_on(dsn, tmp_path) as network:
        again = x509.load_pem_x509_certificate(file.read_bytes())
        names = again.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert [str(name.value) for name in names] == ["localhost", "127.0.0.1"]
        async with secure_station(network.tls_url, "CP-1", context) as connected:
            assert (await connected.boot())["status"] == "Accepted"
