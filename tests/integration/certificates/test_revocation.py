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
        self.sent_along = [self.responder, self.root]
        self.signs_itself = False
        self.revoked = False
        self.mode = "right"
        self.asked: list[str] = []
        self.url = ""

    def _certificate(
        self, name: str, key: Any, *, ca: bool = False, responder: bool = False, by: Any = None
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
        return builder.sign(by or self.key, hashes.SHA256())

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
        )  # fmt: skip
        signer, key = (self.root, self.key) if self.signs_itself else (self.responder, self.responder_key)
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, signer)
        if self.sent_along:
            builder = builder.certificates(self.sent_along)
        right = builder.sign(key, hashes.SHA256())
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
            self.reply(made.crl(), self.path.startswith("/crl"))

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


async def keep_root(edge: RunningEdge, authority: Authority) -> None:
    """Keep the authority's root here, as `POST /trusted-roots` does."""
    await edge.rows(
        "INSERT INTO trusted_root (id, tenant_id, use, pem, subject, sha256, not_after, note, created_at)"
        " VALUES (gen_random_uuid(), 1, 'v2g_root', $1, 'Hub CA', 'x', now() + interval '1 year', '', now())",
        authority.root.public_bytes(serialization.Encoding.PEM).decode(),
    )


async def chain_statuses(cp: Station, authority: Authority, *asked: tuple[str, str, str]) -> list[str]:
    """Ask for the leaf (or another serial number) at paths by OCSP or CRL; give the statuses."""
    request = [
        {
            "certificateHashData": authority.hashes(**({"serialNumber": serial} if serial else {})),
            "source": source,
            "urls": [authority.url + path],
        }
        for source, path, serial in asked
    ]
    answer = await cp.call("GetCertificateChainStatus", {"certificateStatusRequests": request})
    assert [each["source"] for each in answer["certificateStatus"]] == [source for source, _, _ in asked]
    return [each["status"] for each in answer["certificateStatus"]]


@pytest.mark.covers("2.1:GetCertificateChainStatus", "2.1-M07")
async def test_a_chain_is_looked_up_by_responder_and_by_list(edge: RunningEdge, authority: Authority) -> None:
    await keep_root(edge, authority)
    async with station(edge.url, "CP-1", "2.1") as cp:
        await cp.boot()
        authority.revoked = True
        asked = [("OCSP", "/ocsp", ""), ("CRL", "/crl", ""), ("CRL", "/crl", "abc"), ("OCSP", "/nowhere", "")]
        authority.sent_along = [authority.responder]  # the issuer is known here
        assert await chain_statuses(cp, authority, *asked[:3]) == ["Revoked", "Revoked", "Good"]
        request = [
            {
                "certificateHashData": authority.hashes(),
                "source": "CRL",
                "urls": ["http://127.0.0.1:9/", f"{authority.url}/crl"],
            },
            {"certificateHashData": authority.hashes(), "source": "OCSP", "urls": ["http://10.0.0.7/"]},
        ]
        answer = await cp.call("GetCertificateChainStatus", {"certificateStatusRequests": request})
        assert [each["status"] for each in answer["certificateStatus"]] == ["Revoked", "Failed"]


@pytest.mark.covers("2.1-M07")
async def test_what_nobody_can_prove_is_not_called_good(edge: RunningEdge, authority: Authority) -> None:
    async with station(edge.url, "CP-1", "2.1") as cp:
        await cp.boot()
        # The issuer sent along is proved by the hash that the station gives.
        assert await chain_statuses(cp, authority, ("OCSP", "/with-issuer", "")) == ["Good"]
        authority.sent_along = [authority.responder]
        assert (
            await chain_statuses(cp, authority, ("OCSP", "/without", ""), ("CRL", "/crl", ""))
            == ["Failed"] * 2
        )
        authority.sent_along, authority.signs_itself = [], True
        assert await chain_statuses(cp, authority, ("OCSP", "/itself", "")) == ["Failed"]
        # The answer itself goes to a station that asks for it: it has the issuer.
        assert (await ask(cp, authority.hashes(), f"{authority.url}/for-you"))["status"] == "Accepted"
        await keep_root(edge, authority)
        asked = ("OCSP", "/known-now", ""), ("CRL", "/crl?again", "")
        assert await chain_statuses(cp, authority, *asked) == ["Good", "Good"]


@pytest.mark.parametrize("with_issuer", [True, False])
async def test_a_responder_that_made_its_certificate_itself_is_not_believed(
    edge: RunningEdge, authority: Authority, with_issuer: bool
) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    authority.responder_key = stranger
    authority.responder = authority._certificate(
        "Responder", stranger.public_key(), responder=True, by=stranger
    )
    authority.sent_along = [authority.responder, authority.root][: 2 if with_issuer else 1]
    await keep_root(edge, authority)
    async with station(edge.url, "CP-1", "2.1") as cp:
        await cp.boot()
        answer = await ask(cp, authority.hashes(), authority.url + "/ocsp")
        assert answer["status"] == "Failed"
        assert "is not of the issuer" in answer["statusInfo"]["additionalInfo"]
        assert await chain_statuses(cp, authority, ("OCSP", "/ocsp", "")) == ["Failed"]


async def test_a_list_that_another_key_has_signed_is_not_believed(
    edge: RunningEdge, authority: Authority
) -> None:
    await keep_root(edge, authority)
    authority.key = ec.generate_private_key(ec.SECP256R1())
    async with station(edge.url, "CP-1", "2.1") as cp:
        await cp.boot()
        assert await chain_statuses(cp, authority, ("CRL", "/crl", "")) == ["Failed"]
