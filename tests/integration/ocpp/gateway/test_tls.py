"""Security profiles 2 and 3."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from pilotwire.ocpp.gateway import HandshakeProblem, Limits, TlsFiles
from tests.integration.ocpp.gateway.conftest import House, OpenHouse
from tests.support.certificates import Authority, CertificateFiles
from tests.support.raw_station import TEXT, RawStation


def trusting(authority: Authority, client: CertificateFiles | None = None) -> ssl.SSLContext:
    """A station's context that trusts the authority."""
    context = ssl.create_default_context(cafile=authority.file)
    if client is not None:
        context.load_cert_chain(client.certificate, client.key)
    return context


async def open_tls(
    open_house: OpenHouse, authority: Authority, *, client_ca: bool = False, required: bool = False
) -> House:
    server = authority.issue_server()
    files = TlsFiles(server.certificate, server.key, authority.file if client_ca else None, required)
    return await open_house(Limits(handshake_timeout_s=1.0, close_timeout_s=0.5), tls=files)


async def until_problem(house: House) -> tuple[HandshakeProblem, str]:
    await house.owner.until(lambda: bool(house.problems))
    (entry,) = house.listener.handshake_log.entries()
    assert entry.remote_address == "127.0.0.1"
    await house.owner.until(lambda: house.listener.pending == 0)
    return entry.problem, entry.detail


@pytest.mark.covers("TC_086", "TC_A_04")
async def test_profile_2(open_house: OpenHouse, authority: Authority) -> None:
    house = await open_tls(open_house, authority, client_ca=True)
    house.owner.react = lambda connection, text: connection.send(text)
    uri = f"wss://localhost:{house.port}/ocpp/CP-1"
    async with connect(uri, ssl=trusting(authority), host="127.0.0.1") as client:
        for size in (10, 20_000, 200_000):
            await client.send("x" * size)
            assert await client.recv() == "x" * size
    (handshake,) = house.door.heard
    assert handshake.secure
    assert handshake.client_certificate is None


@pytest.mark.covers("TC_087", "TC_A_07")
async def test_profile_3(open_house: OpenHouse, authority: Authority) -> None:
    house = await open_tls(open_house, authority, client_ca=True)
    mine = authority.issue_client("CP-1")
    station = await RawStation.connect(house.port, tls=trusting(authority, mine))
    assert station.answer.status == 101
    certificate = house.door.heard[0].client_certificate
    assert certificate is not None
    assert certificate.common_name == "CP-1"
    assert certificate.subject == "organizationName=Pilotwire tests,commonName=CP-1"
    assert certificate.sha256 == mine.sha256
    assert certificate.der == mine.der


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_both_versions_of_tls(
    open_house: OpenHouse, authority: Authority, version: ssl.TLSVersion
) -> None:
    house = await open_tls(open_house, authority, client_ca=True)
    context = trusting(authority, authority.issue_client("CP-1"))
    context.minimum_version = context.maximum_version = version
    station = await RawStation.connect(house.port, tls=context)
    assert station.answer.status == 101
    assert house.door.heard[0].client_certificate is not None


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"])
async def test_the_ciphers_that_ocpp_names(open_house: OpenHouse, authority: Authority, cipher: str) -> None:
    house = await open_tls(open_house, authority)
    context = trusting(authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(cipher)
    assert (await RawStation.connect(house.port, tls=context)).answer.status == 101


@pytest.mark.covers("TC_A_08")
async def test_an_untrusted_client_certificate_is_refused_in_words(
    open_house: OpenHouse, authority: Authority, tmp_path: Path
) -> None:
    house = await open_tls(open_house, authority, client_ca=True)
    stranger = Authority(tmp_path, "Other Root").issue_client("CP-1")
    with pytest.raises((OSError, asyncio.IncompleteReadError)):
        await RawStation.connect(house.port, tls=trusting(authority, stranger))
    problem, detail = await until_problem(house)
    assert problem is HandshakeProblem.CLIENT_CERTIFICATE_UNTRUSTED
    assert "issuer" in detail or "signature" in detail
    assert house.door.heard == []


async def test_an_expired_client_certificate_is_refused_in_words(
    open_house: OpenHouse, authority: Authority
) -> None:
    house = await open_tls(open_house, authority, client_ca=True)
    expired = authority.issue_client("CP-1", expired=True)
    with pytest.raises((OSError, asyncio.IncompleteReadError)):
        await RawStation.connect(house.port, tls=trusting(authority, expired))
    problem, detail = await until_problem(house)
    assert problem is HandshakeProblem.CLIENT_CERTIFICATE_UNTRUSTED
    assert "expired" in detail


async def test_an_endpoint_may_demand_a_client_certificate(
    open_house: OpenHouse, authority: Authority
) -> None:
    house = await open_tls(open_house, authority, client_ca=True, required=True)
    with pytest.raises((OSError, asyncio.IncompleteReadError)):
        await RawStation.connect(house.port, tls=trusting(authority))
    assert (await until_problem(house))[0] is HandshakeProblem.CLIENT_CERTIFICATE_MISSING


async def test_a_station_that_does_not_trust_the_server(open_house: OpenHouse, authority: Authority) -> None:
    house = await open_tls(open_house, authority)

    def dial() -> None:
        with socket.create_connection(("127.0.0.1", house.port), 5) as plain:
            ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")

    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.to_thread(dial)
    problem, detail = await until_problem(house)
    assert problem is HandshakeProblem.SERVER_CERTIFICATE_REFUSED
    assert "does not know the issuer" in detail


async def test_a_station_that_hangs_up_in_the_tls_handshake(
    open_house: OpenHouse, authority: Authority
) -> None:
    house = await open_tls(open_house, authority)
    station = await RawStation.dial(house.port)
    station.writer.write(b"\x16\x03\x01\x02\x00")
    station.writer.close()
    problem, detail = await until_problem(house)
    assert problem is HandshakeProblem.TLS_FAILED
    assert "hung up" in detail


@pytest.mark.covers("TC_A_06")
async def test_an_old_tls_version_is_refused_in_words(open_house: OpenHouse, authority: Authority) -> None:
    house = await open_tls(open_house, authority)
    station = await RawStation.dial(house.port)
    # A ClientHello of TLS 1.0 with one cipher suite of its time.
    body = b"\x03\x01" + bytes(32) + b"\x00" + b"\x00\x02\x00\x2f" + b"\x01\x00"
    hello = b"\x01" + len(body).to_bytes(3, "big") + body
    station.writer.write(b"\x16\x03\x01" + len(hello).to_bytes(2, "big") + hello)
    assert await station.is_hung_up()
    problem, detail = await until_problem(house)
    assert problem is HandshakeProblem.TLS_FAILED
    assert "older than 1.2" in detail


async def test_plain_http_on_the_tls_port(open_house: OpenHouse, authority: Authority) -> None:
    house = await open_tls(open_house, authority)
    station = await RawStation.dial(house.port)
    station.writer.write(b"GET /ocpp/CP-1 HTTP/1.1\r\nUpgrade: websocket\r\n\r\n")
    assert await station.is_hung_up()
    assert (await until_problem(house))[0] is HandshakeProblem.PLAIN_ON_TLS_PORT


async def test_a_tls_handshake_that_never_comes(open_house: OpenHouse, authority: Authority) -> None:
    house = await open_tls(open_house, authority)
    station = await RawStation.dial(house.port)
    assert await station.is_hung_up()
    assert (await until_problem(house))[0] is HandshakeProblem.TIMED_OUT


async def test_random_bytes_on_the_tls_port(open_house: OpenHouse, authority: Authority) -> None:
    house = await open_tls(open_house, authority)
    neighbour = await RawStation.connect(house.port, tls=trusting(authority))
    for number in range(50):
        station = await RawStation.dial(house.port)
        station.writer.write(bytes([0x16, 3, 1, 0, 200, number]) * 40)
        station.writer.close()
    neighbour.send(TEXT, b"still here")
    await house.owner.until(lambda: house.owner.payloads() == [b"still here"])
    await house.owner.until(lambda: house.listener.pending == 0)
    assert house.listener.connections == 1


async def served_name(port: int, authority: Authority) -> str:
    station = await RawStation.dial(port, trusting(authority))
    decoded = station.writer.get_extra_info("peercert")
    station.drop()
    return str(next(value for part in decoded["subject"] for name, value in part if name == "commonName"))


async def test_a_renewed_certificate_is_served_and_nobody_is_dropped(
    open_house: OpenHouse, authority: Authority
) -> None:
    house = await open_tls(open_house, authority)
    station = await RawStation.connect(house.port, tls=trusting(authority))
    assert await served_name(house.port, authority) == "localhost"
    authority.issue_server(common_name="renewed")
    assert house.listener.reload_tls()
    assert await served_name(house.port, authority) == "renewed"
    station.send(TEXT, b"old but well")
    await house.owner.until(lambda: house.owner.payloads() == [b"old but well"])


async def test_renewed_files_are_noticed(open_house: OpenHouse, authority: Authority) -> None:
    server = authority.issue_server()
    house = await open_house(
        Limits(handshake_timeout_s=0.4, close_timeout_s=0.4),
        tls=TlsFiles(server.certificate, server.key),
        tls_watch_s=0.05,
    )
    authority.issue_server(common_name="renewed")
    names = []
    for _ in range(100):
        names.append(await served_name(house.port, authority))
        if names[-1] == "renewed":
            break
        await asyncio.sleep(0.05)
    assert names[-1] == "renewed"


async def test_broken_files_leave_the_old_certificate_in_use(
    open_house: OpenHouse, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    house = await open_tls(open_house, authority)
    server = authority.issue_server(common_name="half written")
    server.certificate.write_text("-----BEGIN CERTIFICATE-----\nMIIB")
    assert not house.listener.reload_tls()
    assert "old ones stay in use" in caplog.text
    assert await served_name(house.port, authority) == "localhost"


async def test_missing_files_are_told_at_the_start(open_house: OpenHouse, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        await open_house(tls=TlsFiles(tmp_path / "none.pem", tmp_path / "none.key"))
