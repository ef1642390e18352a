"""An edge with a TLS port of its own certificate, the clerk of certificates and the REST API."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from websockets import Subprotocol
from websockets.asyncio.client import connect

from pilotwire.app.certificates import Trust, open_certificates
from pilotwire.app.edge import open_edge
from pilotwire.app.opening import open_database
from pilotwire.core.clock import Clock, utc_now
from pilotwire.domain.identity.model import Role, system_principal
from pilotwire.domain.identity.usecases.manage_api_keys import create_api_key
from pilotwire.domain.operations.usecases.give_commands import Means
from pilotwire.settings import Settings
from pilotwire.web.server import create_web_app
from pilotwire.web.services import WebServices
from tests.support.edge import PASSWORD, RunningEdge, basic_header, migrated_database
from tests.support.postgres import drop_database
from tests.support.stations import PATIENCE_S, Answer, Station

__all__ = ["KeyHolder", "SecureNetwork", "secure_network", "secure_network_on", "secure_station"]


@dataclass
class KeyHolder:
    """A station's key, the certificate that it got, and the roots that it was told to trust."""

    directory: Path
    common_name: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    chain_pem: str = ""

    def csr(self) -> str:
        """A signing request of the key."""
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme"),
                x509.NameAttribute(NameOID.COMMON_NAME, self.common_name),
            ]
        )
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(self.key, hashes.SHA256())
        return request.public_bytes(serialization.Encoding.PEM).decode()

    def context(self, root_pem: str) -> ssl.SSLContext:
        """A client's TLS context, with the certificate if there is one."""
        context = ssl.create_default_context(cadata=root_pem)
        if self.chain_pem:
            pem = self.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            file = self.directory / f"{self.common_name}.pem"
            file.write_bytes(pem + self.chain_pem.encode())
            context.load_cert_chain(file)
        return context


@dataclass
class SecureNetwork:
    """What tests of certificates ask for."""

    edge: RunningEdge
    trust: Trust
    tls_url: str
    http: httpx.AsyncClient

    async def root_pem(self) -> str:
        """The root of the stations' authority, over the API."""
        answer = await self.http.get("/api/v1/certificate-authorities/charging_station/root.pem")
        assert answer.status_code == 200, answer.text
        return answer.text

    async def certificates(self, identity: str) -> list[dict[str, Any]]:
        """A station's certificates."""
        answer = await self.http.get("/api/v1/certificates", params={"station_id": identity})
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def upgrade(self, identity: str) -> dict[str, Any]:
        """A station's move to a safer profile."""
        found: dict[str, Any] = (await self.http.get(f"/api/v1/stations/{identity}/security-upgrade")).json()
        return found


@asynccontextmanager
async def secure_network_on(
    dsn: str, directory: Path, *, clock: Clock = utc_now, **settings: Any
) -> AsyncIterator[SecureNetwork]:
    """Start on a database; what an earlier start left is found again."""
    async with AsyncExitStack() as stack:
        made = Settings(
            database_url=SecretStr(dsn), drain_timeout_s=1, data_dir=directory, ocpp_tls="127.0.0.1:0",
            tls_names="localhost,127.0.0.1", **settings,
        )  # fmt: skip
        database = await open_database(made, stack)
        edge = await open_edge(made, database, stack, clock=clock)
        means = Means(database, edge.bus, edge.desk, clock)
        trust = await open_certificates(made, means, edge.listener, stack, clock)
        plain = await edge.listener.start("127.0.0.1", 0)
        secure = await edge.listener.start("127.0.0.1", 0, trust.tls)
        tls_url = f"wss://localhost:{secure.port}/ocpp"
        app = create_web_app(
            WebServices(
                db=database, bus=edge.bus, caller=edge.switchboard, pepper=edge.pepper, desk=edge.desk, clock=clock,
                stations_tls_url=tls_url, seal=trust.seal,
            )
        )  # fmt: skip
        stack.callback(app.state.hub.close)
        _, key = await create_api_key(database, system_principal(), "operator", Role.OPERATOR)
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://pilotwire.test",
            headers={"Authorization": f"Bearer {key}"},
        )
        http = await stack.enter_async_context(client)
        yield SecureNetwork(RunningEdge(edge, plain), trust, tls_url, http)


@asynccontextmanager
async def secure_network(
    postgres_server: str, directory: Path, **settings: Any
) -> AsyncIterator[SecureNetwork]:
    """Start on a database of one's own."""
    dsn = migrated_database(postgres_server)
    try:
        async with secure_network_on(dsn, directory, **settings) as made:
            yield made
    finally:
        drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))


@asynccontextmanager
async def secure_station(
    url: str,
    identity: str,
    context: ssl.SSLContext,
    version: str = "2.0.1",
    *,
    password: str | None = PASSWORD,
    answer: Answer | None = None,
) -> AsyncIterator[Station]:
    """Connect a station over TLS, with a certificate if the context has one."""
    headers = {} if password is None else {"Authorization": basic_header(identity, password)}
    socket = await connect(
        f"{url}/{identity}", subprotocols=[Subprotocol(f"ocpp{version}")], additional_headers=headers, ssl=context,
        ping_interval=None, compression=None, proxy=None, open_timeout=PATIENCE_S,
    )  # fmt: skip
    made = Station(socket, answer)
    try:
        yield made
    finally:
        await made.close()
