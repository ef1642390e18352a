# mypy: disable-error-code="untyped-decorator"
"""The usual way to write a central system in Python, to measure against.

The `ocpp` package's ChargePoint on the `websockets` server, SQLAlchemy's asynchronous ORM on asyncpg, one
commit per message, the answer after the commit. Library defaults are kept, except where another documented
setting was measured to be faster. Serves OCPP 1.6 and 2.0.1.
"""

import argparse
import asyncio
import signal
from datetime import UTC, datetime
from typing import Any

import ocpp.messages
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call_result as result201
from sqlalchemy import DateTime, ForeignKey, Update, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from websockets import ConnectionClosed, Subprotocol
from websockets.asyncio.server import ServerConnection, basic_auth, serve

from bench.limits import raise_open_files

ocpp.messages.ASYNC_VALIDATION = False  # by default each validation goes to a thread: never faster here


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSONB}  # noqa: RUF012


class Station(Base):
    __tablename__ = "station"
    id: Mapped[str] = mapped_column(primary_key=True)
    vendor: Mapped[str | None]
    status: Mapped[str | None]
    last_seen_at: Mapped[datetime]


class Message(Base):
    __tablename__ = "message"
    id: Mapped[int] = mapped_column(primary_key=True)
    station_id: Mapped[str] = mapped_column(ForeignKey("station.id"))
    received_at: Mapped[datetime]
    message_id: Mapped[str]
    action: Mapped[str]
    payload: Mapped[dict[str, Any]]


class Transaction(Base):
    __tablename__ = "transaction"
    id: Mapped[int] = mapped_column(primary_key=True)
    station_id: Mapped[str] = mapped_column(ForeignKey("station.id"))
    external_id: Mapped[str | None] = mapped_column(index=True)
    token: Mapped[str | None]
    started_at: Mapped[str]
    stopped_at: Mapped[str | None]
    meter_start: Mapped[float | None]
    meter_last: Mapped[float | None]


def now() -> str:
    return datetime.now(UTC).isoformat()


def last_reading(payload: dict[str, Any]) -> float:
    return float(payload["meter_value"][0]["sampled_value"][0]["value"])


class Common:
    """What both versions share."""

    id: str
    results: Any
    sessions: async_sessionmaker[AsyncSession]

    async def keep(self, action: str, call: str, payload: dict[str, Any], part: Base | Update) -> None:
        """Store a message together with the row or the update that follows from it, and commit."""
        at = datetime.now(UTC)
        async with self.sessions.begin() as session:
            session.add(
                Message(station_id=self.id, received_at=at, message_id=call, action=action, payload=payload)
            )
            if isinstance(part, Base):
                session.add(part)
            else:
                await session.execute(part)

    def seen(self, **values: Any) -> Update:
        return update(Station).where(Station.id == self.id).values(last_seen_at=datetime.now(UTC), **values)

    @on("BootNotification")
    async def boot(self, call_unique_id: str, **payload: Any) -> Any:
        vendor = payload.get("charge_point_vendor") or payload["charging_station"]["vendor_name"]
        await self.keep("BootNotification", call_unique_id, payload, self.seen(vendor=vendor))
        return self.results.BootNotification(current_time=now(), interval=300, status="Accepted")

    @on("Heartbeat")
    async def heartbeat(self, call_unique_id: str) -> Any:
        await self.keep("Heartbeat", call_unique_id, {}, self.seen())
        return self.results.Heartbeat(current_time=now())

    @on("StatusNotification")
    async def status(self, call_unique_id: str, **payload: Any) -> Any:
        status = payload.get("status") or payload["connector_status"]
        await self.keep("StatusNotification", call_unique_id, payload, self.seen(status=status))
        return self.results.StatusNotification()


class Station16(Common, ChargePoint16):  # type: ignore[misc]
    results = result16

    def known(self, transaction_id: int | None) -> Update:
        return update(Transaction).where(Transaction.id == transaction_id, Transaction.station_id == self.id)

    @on("StartTransaction")
    async def start_transaction(self, call_unique_id: str, **payload: Any) -> Any:
        row = Transaction(station_id=self.id, token=payload["id_tag"], started_at=payload["timestamp"])
        row.meter_start = payload["meter_start"]
        await self.keep("StartTransaction", call_unique_id, payload, row)
        return result16.StartTransaction(transaction_id=row.id, id_tag_info={"status": "Accepted"})

    @on("MeterValues")
    async def meter_values(self, call_unique_id: str, **payload: Any) -> Any:
        change = self.known(payload.get("transaction_id")).values(meter_last=last_reading(payload))
        await self.keep("MeterValues", call_unique_id, payload, change)
        return result16.MeterValues()

    @on("StopTransaction")
    async def stop_transaction(self, call_unique_id: str, **payload: Any) -> Any:
        change = self.known(payload["transaction_id"])
        change = change.values(stopped_at=payload["timestamp"], meter_last=payload["meter_stop"])
        await self.keep("StopTransaction", call_unique_id, payload, change)
        return result16.StopTransaction(id_tag_info={"status": "Accepted"})


class Station201(Common, ChargePoint201):  # type: ignore[misc]
    results = result201

    @on("TransactionEvent")
    async def transaction_event(self, call_unique_id: str, **payload: Any) -> Any:
        external, at = payload["transaction_info"]["transaction_id"], payload["timestamp"]
        if payload["event_type"] == "Started":
            row = Transaction(station_id=self.id, external_id=external, started_at=at)
            row.token, row.meter_start = payload["id_token"]["id_token"], last_reading(payload)
            await self.keep("TransactionEvent", call_unique_id, payload, row)
            return result201.TransactionEvent(id_token_info={"status": "Accepted"})
        change = update(Transaction).where(
            Transaction.external_id == external, Transaction.station_id == self.id
        )
        ended = {"stopped_at": at} if payload["event_type"] == "Ended" else {}
        change = change.values(meter_last=last_reading(payload), **ended)
        await self.keep("TransactionEvent", call_unique_id, payload, change)
        return result201.TransactionEvent()


VERSIONS = {"ocpp1.6": Station16, "ocpp2.0.1": Station201}


async def run(dsn: str, host: str, port: int, password: str) -> None:
    """Create the tables and serve until SIGTERM or SIGINT."""
    address = dsn.replace("postgresql://", "postgresql+asyncpg://", 1)
    # An overflow opens a connection for one message and closes it again: slower than waiting for these.
    engine = create_async_engine(address, pool_size=20, max_overflow=0, pool_timeout=120)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def accept(connection: ServerConnection) -> None:
        identity = (connection.request.path if connection.request else "").rpartition("/")[2]
        async with sessions.begin() as session:
            await session.merge(Station(id=identity, last_seen_at=datetime.now(UTC)))
        station: Any = VERSIONS[connection.subprotocol or ""](identity, connection)
        station.sessions = sessions
        try:
            await station.start()
        except ConnectionClosed:
            return

    stop = asyncio.Event()
    for sig in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sig, stop.set)
    check = basic_auth(check_credentials=lambda _, given: given == password)
    names = [Subprotocol(name) for name in VERSIONS]
    async with serve(
        accept, host, port, subprotocols=names, process_request=check, open_timeout=60, backlog=4096
    ) as server:
        bound = next(iter(server.sockets)).getsockname()[1]
        print(f"bench ready ocpp=ws://{host}:{bound}/ocpp", flush=True)
        await stop.wait()
    await engine.dispose()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench baseline", description=__doc__)
    parser.add_argument("--dsn", required=True, help="postgresql://USER:PASSWORD@HOST:PORT/NAME")
    parser.add_argument("--ocpp", default="127.0.0.1:0", metavar="HOST:PORT")
    parser.add_argument("--password", default="", help="the stations' common password")
    options = parser.parse_args(arguments)
    host, _, port = options.ocpp.rpartition(":")
    raise_open_files()
    asyncio.run(run(options.dsn, host, int(port), options.password))
    return 0
