"""Connections to PostgreSQL: past a host that does not answer, and not for ever on one that has gone."""

import socket
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import asyncpg

__all__ = ["WatchedConnection", "connect", "name_each_host"]

_HOST_S = 5.0
# A host that has lost its power says nothing; the system finds out in half a minute instead of two hours.
_SILENT_S, _ASK_EVERY_S, _ASKS = 10, 5, 3
_OPTIONS = tuple(
    (getattr(socket, name), value)
    for name, value in {
        "TCP_KEEPIDLE": _SILENT_S,
        "TCP_KEEPINTVL": _ASK_EVERY_S,
        "TCP_KEEPCNT": _ASKS,
        "TCP_USER_TIMEOUT": (_SILENT_S + _ASK_EVERY_S * _ASKS) * 1000,
    }.items()
    if hasattr(socket, name)  # not every system has all of them
)
_FAULTS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class WatchedConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that the system ends when the other machine is gone without a word."""

    __slots__ = ()

    def __init__(self, protocol: Any, transport: Any, *more: Any) -> None:
        super().__init__(protocol, transport, *more)
        wire = transport.get_extra_info("socket")
        if wire.family != socket.AF_UNIX:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _OPTIONS:
                wire.setsockopt(socket.IPPROTO_TCP, option, value)


async def connect(
    dsn: str,
    *,
    timeout: float = _HOST_S,  # noqa: ASYNC109 - the name that asyncpg's pool uses
    connection_class: type[asyncpg.Connection] = WatchedConnection,
    **options: Any,
) -> asyncpg.Connection:
    """Connect to the first host of a URL that will have us; each has `timeout` seconds to answer.

    asyncpg alone has one time for all hosts: one that answers nothing would use it up, and the others never be asked.

    Raises: OSError, asyncpg.PostgresError, asyncpg.InternalClientError: the most telling of the hosts' refusals.
    """
    refusals: list[Exception] = []
    for each in name_each_host(dsn):
        try:
            return await asyncpg.connect(each, timeout=timeout, connection_class=connection_class, **options)
        except _FAULTS as error:
            refusals.append(error)
    raise max(refusals, key=_how_telling)


def name_each_host(dsn: str) -> list[str]:
    """Give a URL per host of a URL that names several, in the ways that libpq knows.

    Raises: ValueError when there are neither as many ports as hosts nor one for all.
    """
    before, separator, after = dsn.partition("://")
    place, _, query_text = after.partition("?")
    authority, slash, database = place.partition("/")
    user, at, hosts = authority.rpartition("@")
    query = dict(parse_qsl(query_text, keep_blank_values=True))
    chosen: list[tuple[str, dict[str, str]]]
    if "," in hosts:
        chosen = [(host, {}) for host in hosts.split(",")]
    elif not hosts and "," in query.get("host", ""):
        names, ports = query["host"].split(","), query.get("port", "").split(",")
        if len(ports) not in (1, len(names)):
            raise ValueError(f"the URL of the database names {len(names)} hosts and {len(ports)} ports")
        ports *= len(names) // len(ports)
        chosen = [
            ("", {"host": name, **({"port": port} if port else {})})
            for name, port in zip(names, ports, strict=True)
        ]
    else:
        return [dsn]
    urls = []
    for host, own in chosen:
        told = urlencode(query | own, quote_via=quote)
        urls.append(f"{before}{separator}{user}{at}{host}{slash}{database}{'?' if told else ''}{told}")
    return urls


def _how_telling(error: Exception) -> int:
    """Rank refusals: that a standby is one says least, what a host says itself says most."""
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        return 0
    return 1 if isinstance(error, (OSError, asyncpg.CannotConnectNowError)) else 2
