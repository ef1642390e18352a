"""Stations ask for certificates, get them, and come in with them."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from websockets import InvalidStatus

from pilotwire.core.clock import utc_now
from pilotwire.core.ids import new_uuid
from pilotwire.domain.certificates.authority import issue_certificate, make_authority
from pilotwire.domain.certificates.model import Purpose
from tests.support.edge import migrated_database
from tests.support.stations import Station, station
from tests.support.trust import (
    KeyHolder,
    SecureNetwork,
    secure_network,
    secure_network_on,
    secure_station,
)


class Taker:
    """A station that takes what it is given."""

    def __init__(self, holder: KeyHolder, status: str = "Accepted") -> None:
        self.holder = holder
        self.status = status
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.event = asyncio.Event()

    def __call__(self, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        self.taken.append((action, payload))
        if action == "CertificateSigned":
            if self.status == "Accepted":
                self.holder.chain_pem = payload["certificateChain"]
            self.event.set()
            return {"status": self.status}
        if action in {"ExtendedTriggerMessage", "TriggerMessage"}:
            self.event.set()
            return {"status": "Accepted"}
        return None


async def until(check: Any, wanted: Any = True) -> Any:
    async with asyncio.timeout(20):
        while True:
            found = await check()
            if found == wanted or (wanted is True and found):
                return found
            await asyncio.sleep(0.05)


async def delivered(network: SecureNetwork, identity: str) -> dict[str, Any]:
    async def newest() -> dict[str, Any] | None:
        found = await network.certificates(identity)
        good = [each for each in found if each["state"] == "delivered"]
        return good[-1] if good else None

    certificate: dict[str, Any] = await until(newest)
    return certificate


async def get_certificate(
    network: SecureNetwork, identity: str, version: str, holder: KeyHolder, **more: Any
) -> Taker:
    taker = Taker(holder)
    async with station(network.edge.url, identity, version, answer=taker) as connected:
        await connected.boot()
        answer = await connected.call("SignCertificate", {"csr": holder.csr(), **more})
        assert answer["status"] == "Accepted"
        await asyncio.wait_for(taker.event.wait(), 20)
        await delivered(network, identity)
    return taker


@pytest.mark.parametrize(
    ("version", "more"),
    [
        pytest.param("1.6", {}, marks=pytest.mark.covers("1.6:SignCertificate", "1.6:CertificateSigned")),
        pytest.param(
            "2.0.1",
            {"certificateType": "ChargingStationCertificate"},
            marks=pytest.mark.covers("2.0.1:SignCertificate", "2.0.1:CertificateSigned", "A02"),
        ),
        pytest.param(
            "2.1",
            {"certificateType": "ChargingStationCertificate", "requestId": 77},
            marks=pytest.mark.covers("2.1:SignCertificate", "2.1:CertificateSigned"),
        ),
    ],
)
@pytest.mark.covers("TC_074", "TC_A_11")
async def test_a_station_gets_a_certificate_and_comes_in_with_it(
    postgres_server: str, tmp_path: Path, version: str, more: dict[str, Any]
) -> None:
    async with secure_network(postgres_server, tmp_path) as network:
        await network.edge.add_stations("CP-1")
        holder = KeyHolder(tmp_path, "CP-1")
        taker = await get_certificate(network, "CP-1", version, holder, **more)
        [(action, payload)] = taker.taken
        assert action == "CertificateSigned"
        assert payload.get("requestId") == more.get("requestId")
        context = holder.context(await network.root_pem())
        async with secure_station(network.tls_url, "CP-1", context, version, password=None) as connected:
            assert (await connected.boot())["status"] == "Accepted"
            profile = await network.edge.value("SELECT security_profile FROM station_presence")
            assert profile == 3

            async def used() -> bool:
                [certificate] = await network.certificates("CP-1")
                return certificate["first_used_at"] is not None

            await until(used)


async def test_a_certificate_opens_for_its_own_station_alone(postgres_server: str, tmp_path: Path) -> None:
    """Also when the name in it is another station's: a serial number can be anything."""
    async with secure_network(postgres_server, tmp_path) as network:
        await network.edge.add_stations("CP-1", "CP-2")
        holder = KeyHolder(tmp_path, "CP-2")
        taker = Taker(holder)
        async with station(network.edge.url, "CP-1", "1.6", answer=taker) as connected:
            boot = {"chargePointVendor": "Acme", "chargePointModel": "One", "chargePointSerialNumber": "CP-2"}
            await connected.call("BootNotification", boot)
            answer = await connected.call("SignCertificate", {"csr": holder.csr()})
            assert answer["status"] == "Accepted"
            await delivered(network, "CP-1")
        context = holder.context(await network.root_pem())
        with pytest.raises(InvalidStatus, match="401"):
            async with secure_station(network.tls_url, "CP-2", context, password=None):
                pass
        async with secure_station(network.tls_url, "CP-1", context, password=None) as connected:
            assert (await connected.boot())["status"] == "Accepted"


async def test_a_request_that_cannot_be_signed_is_rejected_and_told(
    postgres_server: str, tmp_path: Path
) -> None:
    async with secure_network(postgres_server, tmp_path) as network:
        await network.edge.add_stations("CP-1")
        stranger = KeyHolder(tmp_path, "CP-9")
        async with station(network.edge.url, "CP-1") as connected:
            await connected.boot()
            answer = await connected.call("SignCertificate", {"csr": stranger.csr()})
            assert answer["status"] == "Rejected"
            assert answer["statusInfo"]["reasonCode"] == "InvalidCSR"
            assert "CP-9" in answer["statusInfo"]["additionalInfo"]
        [request] = (await network.http.get("/api/v1/certificate-requests")).json()["items"]
        assert (request["state"], request["station_id"]) == ("refused", "CP-1")
        assert "CP-9" in request["reason"]
        events = await network.http.get("/api/v1/stations/CP-1/security-events")
        assert "InvalidCertificateRequest" in events.text


@pytest.mark.covers("TC_A_14")
async def test_a_station_that_does_not_take_its_certificate(postgres_server: str, tmp_path: Path) -> None:
    async with secure_network(postgres_server, tmp_path) as network:
        await network.edge.add_stations("CP-1")
        holder = KeyHolder(tmp_path, "CP-1")
        taker = Taker(holder, "Rejected")
        async with station(network.edge.url, "CP-1", answer=taker) as connected:
            await connected.boot()
            await connected.call("SignCertificate", {"csr": holder.csr()})

            async def state() -> str:
                [request] = (await network.http.get("/api/v1/certificate-requests")).json()["items"]
                return str(request["state"])

            await until(state, "refused")
        [certificate] = await network.certificates("CP-1")
        assert certificate["state"] == "refused"


async def test_a_newer_request_replaces_the_one_that_waits(postgres_server: str, tmp_path: Path) -> None:
    async with secure_network(postgres_server, tmp_path, certificate_issuer="external") as network:
        await network.edge.add_stations("CP-1")
        async with station(network.edge.url, "CP-1") as connected:
            await connected.boot()
            for _ in range(2):
                holder = KeyHolder(tmp_path, "CP-1")
                await connected.call("SignCertificate", {"csr": holder.csr()})
        items = (await network.http.get("/api/v1/certificate-requests")).json()["items"]
        assert [each["state"] for each in items] == ["waiting", "replaced"]


async def test_another_authority_signs(postgres_server: str, tmp_path: Path) -> None:
    async with secure_network(postgres_server, tmp_path, certificate_issuer="external") as network:
        await network.edge.add_stations("CP-1")
        holder = KeyHolder(tmp_path, "CP-1")
        taker = Taker(holder)
        async with station(network.edge.url, "CP-1", answer=taker) as connected:
            await connected.boot()
            v2g = {"csr": holder.csr(), "certificateType": "V2GCertificate"}
            await connected.call("SignCertificate", v2g)
            [request] = (await network.http.get("/api/v1/certificate-requests?state=waiting")).json()["items"]
            address = f"/api/v1/certificate-requests/{request['id']}"
            wrong = await network.http.post(f"{address}/certificate", json={"chain": "nothing"})
            assert (wrong.status_code, "PEM" in wrong.json()["detail"]) == (422, True)
            keys = make_authority(Purpose.V2G, "Other", utc_now())
            made = issue_certificate(keys, new_uuid(), request["csr_pem"], Purpose.V2G, utc_now(), 30)
            taken = await network.http.post(f"{address}/certificate", json={"chain": made.chain_pem})
            assert taken.status_code == 202, taken.text
            certificate = await delivered(network, "CP-1")
            assert (certificate["issuer"], certificate["purpose"]) == ("external", "v2g")
            assert taker.taken[0][1]["certificateType"] == "V2GCertificate"
            again = await network.http.post(f"{address}/refuse", json={"reason": "late"})
            assert again.status_code == 409
        whole = (await network.http.get(f"/api/v1/certificates/{certificate['id']}")).json()
        assert whole["chain_pem"] == made.chain_pem


async def test_a_revoked_certificate_ends_its_connection_and_opens_nothing(
    postgres_server: str, tmp_path: Path
) -> None:
    async with secure_network(postgres_server, tmp_path) as network:
        await network.edge.add_stations("CP-1")
        holder = KeyHolder(tmp_path, "CP-1")
        await get_certificate(network, "CP-1", "2.0.1", holder)
        [certificate] = await network.certificates("CP-1")
        context = holder.context(await network.root_pem())
        address = f"/api/v1/certificates/{certificate['id']}/revoke"
        async with secure_station(network.tls_url, "CP-1", context, password=None) as connected:
            await connected.boot()
            answer = await network.http.post(address, json={"reason": "stolen"})
            assert answer.status_code == 204, answer.text
            assert await connected.close_code() == 1008
        for password in (None, "correct-horse-battery"):
            with pytest.raises(InvalidStatus, match="401"):
                async with secure_station(network.tls_url, "CP-1", context, password=password):
                    pass
        failures = network.edge.edge.listener.handshake_log.entries()
        assert "client_certificate_revoked" in {each.problem.value for each in failures}
        assert (await network.http.post(address, json={"reason": "again"})).status_code == 409


async def test_what_was_left_open_goes_on_after_a_restart(postgres_server: str, tmp_path: Path) -> None:
    """A station asks and is gone before the certificate reaches it; the server restarts; it gets it later."""
    dsn = migrated_database(postgres_server)
    holder = KeyHolder(tmp_path, "CP-1")
    async with secure_network_on(dsn, tmp_path) as network:
        await network.edge.add_stations("CP-1")
        async with station(network.edge.url, "CP-1") as connected:
            await connected.boot()
            message = await connected.call("SignCertificate", {"csr": holder.csr()})
            assert message["status"] == "Accepted"
            connected.drop()
        root = await network.root_pem()
    async with secure_network_on(dsn, tmp_path) as network:
        assert await network.root_pem() == root
        taker = Taker(holder)
        async with station(network.edge.url, "CP-1", answer=taker) as connected:
            await connected.boot()
            await delivered(network, "CP-1")
        context = holder.context(root)
        async with secure_station(network.tls_url, "CP-1", context, password=None) as connected:
            await connected.boot()


async def test_a_certificate_is_renewed_before_it_ends(postgres_server: str, tmp_path: Path) -> None:
    async with secure_network(
        postgres_server, tmp_path, station_certificate_days=10, certificate_renewal_days=30
    ) as network:
        await network.edge.add_stations("CP-1")
        holder = KeyHolder(tmp_path, "CP-1")
        taker = Taker(holder)
        async with station(network.edge.url, "CP-1", answer=taker) as connected:
            await connected.boot()
            await connected.call("SignCertificate", {"csr": holder.csr()})
            await delivered(network, "CP-1")

            async def asked() -> bool:
                return any(
                    action == "TriggerMessage"
                    and payload["requestedMessage"] == "SignChargingStationCertificate"
                    for action, payload in taker.taken
                )

            await until(asked)
            [certificate] = await network.certificates("CP-1")
            assert certificate["renewal_asked_at"] is not None
            await sign_again(connected, holder)

            async def two() -> int:
                found = await network.certificates("CP-1")
                return sum(each["state"] == "delivered" for each in found)

            await until(two, 2)


async def sign_again(connected: Station, holder: KeyHolder) -> None:
    answer = await connected.call("SignCertificate", {"csr": holder.csr()})
    assert answer["status"] == "Accepted"


async def test_roots_for_stations_are_kept(postgres_server: str, tmp_path: Path) -> None:
    async with secure_network(postgres_server, tmp_path) as network:
        keys = make_authority(Purpose.V2G, "Hub", utc_now())
        body = {"use": "v2g_root", "pem": keys.root_pem, "note": "the hub's"}
        made = await network.http.post("/api/v1/trusted-roots", json=body)
        assert made.status_code == 201, made.text
        assert (await network.http.post("/api/v1/trusted-roots", json=body)).status_code == 409
        for pem in ("nothing", keys.root_pem + "-----BEGIN PRIVATE KEY-----"):
            refused = await network.http.post("/api/v1/trusted-roots", json={"use": "v2g_root", "pem": pem})
            assert refused.status_code == 422
        [root] = (await network.http.get("/api/v1/trusted-roots")).json()["items"]
        assert root["subject"].startswith("CN=V2G Root")
        assert (await network.http.delete(f"/api/v1/trusted-roots/{root['id']}")).status_code == 204
        assert (await network.http.delete(f"/api/v1/trusted-roots/{root['id']}")).status_code == 404
