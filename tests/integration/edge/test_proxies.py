"""Stations behind a reverse proxy: its word on their address counts if it is named, and only then."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets import Subprotocol
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.edge import PASSWORD, RunningEdge, basic_header, migrated_database, running_edge
from tests.support.postgres import drop_database


async def knock(edge: RunningEdge, password: str, **headers: str) -> int:
    """Come in with headers of a proxy; the status of the answer."""
    given = {
        "Authorization": basic_header("CP-1", password),
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    try:
        async with connect(
            f"{edge.url}/CP-1", subprotocols=[Subprotocol("ocpp2.0.1")], additional_headers=given
        ):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def knockers(edge: RunningEdge) -> set[str]:
    return {entry.remote_address for entry in edge.edge.listener.handshake_log.entries()}


@pytest.mark.parametrize("trusted", ["", "127.0.0.0/8"])
async def test_the_word_of_a_named_proxy_counts(postgres_server: str, trusted: str) -> None:
    dsn = migrated_database(postgres_server)
    settings: dict[str, Any] = {"trusted_proxies": trusted}
    async with running_edge(dsn, **settings) as edge:
        await edge.add_stations("CP-1")
        assert await knock(edge, "wrong-password-0001", X_Forwarded_For="6.6.6.6, 198.51.100.7") == 401
        assert knockers(edge) == ({"198.51.100.7"} if trusted else {"127.0.0.1"})
        database = edge.edge.database
        await database.service.execute("UPDATE station SET minimum_security_profile = 2")
    async with running_edge(dsn, **settings) as edge:
        over_tls = await knock(edge, PASSWORD, X_Forwarded_For="198.51.100.7", X_Forwarded_Proto="https")
        assert over_tls == (101 if trusted else 401)
        assert await knock(edge, PASSWORD, X_Forwarded_Proto="http") == 401
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))
