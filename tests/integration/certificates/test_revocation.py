"""Stations that ask whether a certificate has been revoked: the responder is really asked, and its answer is checked."""

import base64
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.edge import RunningEdge, migrated_database, running_edge
from tests.support.postgres import drop_database
from tests.support.stations import Station, station

DER = serialization.Encoding.DER


class Authority:
    """A certificate authority with a responder: `/ocsp` answers questions, `/crl` is its list."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.root = self._certificate("Hub CA", self.key.public_key(), ca=True)
        self.leaf = self._certificate("Leaf", ec.generate_private_key(ec.SECP256R1()).public_key())
        self.responder_key = ec.generate_private_key(ec.SECP256R1())
        self.responder = self._certificate("Responder", self.responder_key.public_key(), responder=True)
        self.revoked = False
        self.mode = "right"
        self.asked: list[str] = []
        self.url = ""

    def _certificate(
        self, name: str, key: Any, *, ca: bool = False, responder: bool = False
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Hub CA")]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if responder:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
            builder = builder.add_extension(usage, critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def answer(self, question: bytes) -> bytes:
        asked = ocsp.load_der_ocsp_request(question)
        if self.mode == "busy":
            return ocsp.OCSPResponseBuilder.build_unsuccessful(
                ocsp.OCSPResponseStatus.TRY_LATER
            ).public_bytes(DER)
        now = datetime.now(UTC)
        status = ocsp.OCSPCertStatus.REVOKED if self.revoked else ocsp.OCSPCertStatus.GOOD
        old = timedelta(days=9) if self.mode == "stale" else timedelta()
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            asked.issuer_name_hash, asked.issuer_key_hash,
            asked.serial_number + (self.mode == "another"), hashes.SHA256(), status, now - old - timedelta(minutes=1),
            now - old + timedelta(hours=1), now - timedelta(days=2) if self.revoked else None, None,
        ).responder_id(ocsp.OCSPResponderEncoding.NAME, self.responder).certificates([self.responder])  # fmt: skip
        right = builder.sign(self.responder_key, hashes.SHA256())
        content = right.public_bytes(DER)
        if self.mode == "forged":
            forged = right.signature[:-1] + bytes([right.signature[-1] ^ 1])
            content = content.replace(right.signature, forged)
        return content

    def crl(self) -> bytes:
        now = datetime.now(UTC)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.root.subject)
        builder = builder.last_update(now - timedelta(minutes=1)).next_update(now + timedelta(hours=1))
        if self.revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(self.leaf.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(now).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(DER)

    def hashes(self, **changes: str) -> dict[str, str]:
        """The leaf as OCPP names it."""
        question = ocsp.OCSPRequestBuilder().add_certificate(self.leaf, self.root, hashes.SHA256()).build()
        return {
            "hashAlgorithm": "SHA256",
            "issuerNameHash": question.issuer_name_hash.hex(),
            "issuerKeyHash": question.issuer_key_hash.hex(),
            "serialNumber": f"{self.leaf.serial_number:x}",
        } | changes


@pytest.fixture
def authority() -> Iterator[Authority]:
    made = Authority()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            self.reply(made.answer(question), self.headers["Content-Type"] == "application/ocsp-request")

        def do_GET(self) -> None:
            self.reply(made.crl(), self.path == "/crl")

        def reply(self, content: bytes, known: bool) -> None:
            made.asked.append(self.path)
            self.send_response(200 if known else 400)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
async def edge(postgres_server: str) -> AsyncIterator[RunningEdge]:
    dsn = migrated_database(postgres_server)
    async with running_edge(dsn, egress_private_networks="127.0.0.0/8") as made:
        await made.add_stations("CP-1", "CP-2")
        yield made
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))


async def ask(cp: Station, data: dict[str, str], url: str) -> dict[str, Any]:
    answer: dict[str, Any] = await cp.call(
        "GetCertificateStatus", {"ocspRequestData": data | {"responderURL": url}}
    )
    return answer


@pytest.mark.covers("2.0.1:GetCertificateStatus", "2.1:GetCertificateStatus", "2.0.1-M06")
@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_the_responder_is_asked_and_its_answer_handed_on(
    edge: RunningEdge, authority: Authority, version: str
) -> None:
    async with station(edge.url, "CP-1", version) as cp, station(edge.url, "CP-2", version) as other:
        await cp.boot()
        await other.boot()
        answer = await ask(cp, authority.hashes(), authority.url + "/ocsp")
        assert answer["status"] == "Accepted", answer
        told = ocsp.load_der_ocsp_response(base64.b64decode(answer["ocspResult"]))
        assert told.certificate_status is ocsp.OCSPCertStatus.GOOD
        assert told.serial_number == authority.leaf.serial_number
        again = await ask(other, authority.hashes(), authority.url + "/ocsp")
        assert again == answer
        assert authority.asked == ["/ocsp"], "an answer is good until its next update, for all stations"


@pytest.mark.covers("2.0.1-M06")
async def test_answers_that_are_of_no_use_are_told_with_the_reason(
    edge: RunningEdge, authority: Authority
) -> None:
    async with station(edge.url, "CP-1", "2.0.1") as cp:
        await cp.boot()
        wrong = {
            "busy": "try_later",
            "another": "about another certificate",
            "stale": "out of date",
            "forged": "signature is wrong",
        }
        for mode, reason in wrong.items():
            authority.mode = mode
            answer = await ask(cp, authority.hashes(), f"{authority.url}/{mode}")
            assert answer["status"] == "Failed", mode
            assert reason in answer["statusInfo"]["additionalInfo"], answer
            assert "ocspResult" not in answer
        authority.mode = "right"
        asked = len(authority.asked)
        assert (await ask(cp, authority.hashes(), f"{authority.url}/forged"))["status"] == "Failed"
        assert len(authority.asked) == asked, "a failure is remembered for a while"
        refused = await ask(cp, authority.hashes(), "http://10.0.0.7/ocsp")
        assert "not allowed" in refused["statusInfo"]["additionalInfo"]
        gone = await ask(cp, authority.hashes(), "http://127.0.0.1:9/ocsp")
        assert gone["status"] == "Failed"
        odd = await ask(cp, authority.hashes(issuerKeyHash="ab"), f"{authority.url}/odd")
        assert "hashes are not those of SHA256" in odd["statusInfo"]["additionalInfo"]


@pytest.mark.covers("2.1:GetCertificateChainStatus", "2.1-M07")
async def test_a_chain_is_looked_up_by_responder_and_by_list(edge: RunningEdge, authority: Authority) -> None:
    async with station(edge.url, "CP-1", "2.1") as cp:
        await cp.boot()
        authority.revoked = True
        request = [
            {"certificateHashData": authority.hashes(), "source": "OCSP", "urls": [f"{authority.url}/ocsp"]},
            {
                "certificateHashData": authority.hashes(),
                "source": "CRL",
                "urls": ["http://127.0.0.1:9/", f"{authority.url}/crl"],
            },
            {
                "certificateHashData": authority.hashes(serialNumber="abc"),
                "source": "CRL",
                "urls": [f"{authority.url}/crl"],
            },
            {"certificateHashData": authority.hashes(), "source": "OCSP", "urls": ["http://10.0.0.7/"]},
        ]
        answer = await cp.call("GetCertificateChainStatus", {"certificateStatusRequests": request})
        told = [each["status"] for each in answer["certificateStatus"]]
        assert told == ["Revoked", "Revoked", "Good", "Failed"]
        assert [each["source"] for each in answer["certificateStatus"]] == ["OCSP", "CRL", "CRL", "OCSP"]
