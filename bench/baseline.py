"""The usual way to write a central system in Python, to measure against: the `ocpp` package's ChargePoint on the
`websockets` server, SQLAlchemy's asynchronous ORM on asyncpg, one commit per message, the answer after the commit.

Library defaults are kept, except where measuring showed another documented setting to be faster: then that is used.
`python -m bench baseline --dsn postgresql://... [--ocpp HOST:PORT]` prints a ready line and serves OCPP 1.6 and 2.0.1.
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
from sqlalchemy import DateTime, Executable, ForeignKey, UniqueConstraint, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from websockets import ConnectionClosed, Subprotocol
from websockets.asyncio.server import ServerConnection, basic_auth, serve

from bench.limits import raise_open_files

ocpp.messages.ASYNC_VALIDATION = False  # the default hands each validation to a thread, which is slower here


class Base(DeclarativeBase):
    """The tables of the usual way."""

    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSONB}  # noqa: RUF012


class Station(Base):
    """A charging station, as of its last message."""

    __tablename__ = "station"
    id: Mapped[str] = mapped_column(primary_key=True)
    vendor: Mapped[str | None]
    model: Mapped[str | None]
    status: Mapped[str | None]
    last_seen_at: Mapped[datetime]


class Message(Base):
    """Everything that stations said."""

    __tablename__ = "message"
    id: Mapped[int] = mapped_column(primary_key=True)
    station_id: Mapped[str] = mapped_column(ForeignKey("station.id"))
    received_at: Mapped[datetime]
    message_id: Mapped[str]
    action: Mapped[str]
    payload: Mapped[dict[str, Any]]


class Transaction(Base):
    """A charging session."""

    __tablename__ = "transaction"
    __table_args__ = (UniqueConstraint("station_id", "external_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    station_id: Mapped[str] = mapped_column(ForeignKey("station.id"))
    external_id: Mapped[str | None]
    token: Mapped[str | None]
    started_at: Mapped[str]
    stopped_at: Mapped[str | None]
    meter_start: Mapped[float | None]
    meter_last: Mapped[float | None]


Sessions = async_sessionmaker[AsyncSession]


class Store:
    """What both versions' charge points share: one database transaction per message."""

    id: str
    sessions: Sessions

    async def keep(
        self, action: str, message_id: str, payload: dict[str, Any], *parts: Base | Executable
    ) -> None:
        """Store a message with the rows and updates that follow from it, and commit."""
        row = Message(
            station_id=self.id,
            received_at=datetime.now(UTC),
            message_id=message_id,
            action=action,
            payload=payload,
        )
        async with self.sessions.begin() as session:
            session.add(row)
            for part in parts:
                if isinstance(part, Base):
                    session.add(part)
                else:
                    await session.execute(part)

    def seen(self, **values: Any) -> Executable:
        return update(Station).where(Station.id == self.id).values(last_seen_at=datetime.now(UTC), **values)


def now() -> str:
    return datetime.now(UTC).isoformat()


def last_reading(meter_value: list[dict[str, Any]] | None) -> float | None:
    """Return the energy register of the first meter value, in Wh."""
    return float(meter_value[0]["sampled_value"][0]["value"]) if meter_value else None


class Station16(Store, ChargePoint16):  # type: ignore[misc]
    """An OCPP 1.6 station's connection."""

    @on("BootNotification")
    async def boot(self, call_unique_id: str, **payload: Any) -> Any:
        change = self.seen(vendor=payload["charge_point_vendor"], model=payload["charge_point_model"])
        await self.keep("BootNotification", call_unique_id, payload, change)
        return result16.BootNotification(current_time=now(), interval=300, status="Accepted")

    @on("Heartbeat")
    async def heartbeat(self, call_unique_id: str) -> Any:
        await self.keep("Heartbeat", call_unique_id, {}, self.seen())
        return result16.Heartbeat(current_time=now())

    @on("StatusNotification")
    async def status(self, call_unique_id: str, **payload: Any) -> Any:
        await self.keep("StatusNotification", call_unique_id, payload, self.seen(status=payload["status"]))
        return result16.StatusNotification()

    @on("StartTransaction")
    async def start_transaction(self, call_unique_id: str, **payload: Any) -> Any:
        meter, token, at = payload["meter_start"], payload["id_tag"], payload["timestamp"]
        row = Transaction(station_id=self.id, token=token, started_at=at, meter_start=meter)
        await self.keep("StartTransaction", call_unique_id, payload, row)
        return result16.StartTransaction(transaction_id=row.id, id_tag_info={"status": "Accepted"})

    @on("MeterValues")
    async def meter_values(self, call_unique_id: str, **payload: Any) -> Any:
        change = update(Transaction).where(
            Transaction.id == payload.get("transaction_id"), Transaction.station_id == self.id
        )
        reading = last_reading(payload["meter_value"])
        await self.keep("MeterValues", call_unique_id, payload, change.values(meter_last=reading))
        return result16.MeterValues()

    @on("StopTransaction")
    async def stop_transaction(self, call_unique_id: str, **payload: Any) -> Any:
        change = update(Transaction).where(
            Transaction.id == payload["transaction_id"], Transaction.station_id == self.id
        )
        values = change.values(stopped_at=payload["timestamp"], meter_last=payload["meter_stop"])
        await self.keep("StopTransaction", call_unique_id, payload, values)
        return result16.StopTransaction(id_tag_info={"status": "Accepted"})


class Station201(Store, ChargePoint201):  # type: ignore[misc]
    """An OCPP 2.0.1 station's connection."""

    @on("BootNotification")
    async def boot(self, call_unique_id: str, **payload: Any) -> Any:
        about = payload["charging_station"]
        change = self.seen(vendor=about["vendor_name"], model=about["model"])
        await self.keep("BootNotification", call_unique_id, payload, change)
        return result201.BootNotification(current_time=now(), interval=300, status="Accepted")

    @on("Heartbeat")
    async def heartbeat(self, call_unique_id: str) -> Any:
        await self.keep("Heartbeat", call_unique_id, {}, self.seen())
        return result201.Heartbeat(current_time=now())

    @on("StatusNotification")
    async def status(self, call_unique_id: str, **payload: Any) -> Any:
        await self.keep(
            "StatusNotification", call_unique_id, payload, self.seen(status=payload["connector_status"])
        )
        return result201.StatusNotification()

    @on("TransactionEvent")
    async def transaction_event(self, call_unique_id: str, **payload: Any) -> Any:
        external, reading = (
            payload["transaction_info"]["transaction_id"],
            last_reading(payload.get("meter_value")),
        )
        known = update(Transaction).where(
            Transaction.station_id == self.id, Transaction.external_id == external
        )
        match payload["event_type"]:
            case "Started":
                row = Transaction(station_id=self.id, external_id=external, started_at=payload["timestamp"])
                row.token, row.meter_start = payload["id_token"]["id_token"], reading
                await self.keep("TransactionEvent", call_unique_id, payload, row)
                return result201.TransactionEvent(id_token_info={"status": "Accepted"})
            case "Updated":
                await self.keep("TransactionEvent", call_unique_id, payload, known.values(meter_last=reading))
            case "Ended":
                change = known.values(meter_last=reading, stopped_at=payload["timestamp"])
                await self.keep("TransactionEvent", call_unique_id, payload, change)
        return result201.TransactionEvent()


async def run(dsn: str, host: str, port: int, password: str) -> None:
    """Create the tables and serve until SIGTERM or SIGINT."""
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=20)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    versions = {"ocpp1.6": Station16, "ocpp2.0.1": Station201}

    async def accept(connection: ServerConnection) -> None:
        identity = (connection.request.path if connection.request else "").rpartition("/")[2]
        async with sessions.begin() as session:
            await session.merge(Station(id=identity, last_seen_at=datetime.now(UTC)))
        station = versions[connection.subprotocol or ""](identity, connection)
        station.sessions = sessions
        try:
            await station.start()
        except ConnectionClosed:
            return

    stop = asyncio.Event()
    for sig in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sig, stop.set)
    async with serve(
        accept,
        host,
        port,
        subprotocols=[Subprotocol(name) for name in versions],
        process_request=basic_auth(check_credentials=lambda _, given: given == password),
        open_timeout=60,
        backlog=4096,
    ) as server:
        bound = next(iter(server.sockets)).getsockname()[1]
        print(f"bench ready ocpp=ws://{host}:{bound}/ocpp", flush=True)
        await stop.wait()
    await engine.dispose()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench baseline",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--dsn", required=True, help="postgresql://USER:PASSWORD@HOST:PORT/NAME")
    parser.add_argument("--ocpp", default="127.0.0.1:0", metavar="HOST:PORT")
    parser.add_argument("--password", default="", help="the stations' common password")
    options = parser.parse_args(arguments)
    host, _, port = options.ocpp.rpartition(":")
    raise_open_files()
    asyncio.run(run(options.dsn, host, int(port), options.password))
    return 0
