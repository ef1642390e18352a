"""The verdict of the crash bench: it is content with a true record and finds each kind of damage."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from bench.crash_check import Findings, check
from bench.crash_stations import Charge, Journal
from pilotwire.db.engine import Database
from pilotwire.db.migrate import migrate

STATION = "CRASH-00001"
AT = datetime(2026, 1, 1, tzinfo=UTC)
SAMPLE_AT = AT + timedelta(seconds=60)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Record:
    """A database with one station, and the journal of its session of 15 Wh, answered throughout."""

    def __init__(self, dsn: str, connection: asyncpg.Connection, station_id: int) -> None:
        self.dsn = dsn
        self.connection = connection
        self.station_id = station_id
        self.session_id = uuid4()
        charge = Charge(STATION, AT, 100, 77, True, True, 115, {SAMPLE_AT: (115, True)})
        self.journal = Journal(answered={(STATION, "m1")}, charges=[charge])

    async def add_frame(self) -> None:
        await self.connection.execute(
            "INSERT INTO frame (tenant_id, station_id, received_at, direction, message_id, action, request,"
            " response) VALUES (1, $1, now(), 0, 'm1', 'Heartbeat', '', '')",
            self.station_id,
        )

    async def add_session(self, ref: str = "77", energy_wh: int = 15) -> None:
        await self.connection.execute(
            "INSERT INTO session (id, tenant_id, station_id, transaction_ref, state, started_at,"
            " first_received_at, last_received_at, meter_start_wh, meter_end_wh, energy_wh, facts)"
            " VALUES ($1, 1, $2, $3, 'ended', $4, now(), now(), 100, 115, $5, '{}')",
            self.session_id if ref == "77" else uuid4(), self.station_id, ref, AT, energy_wh,
        )  # fmt: skip

    async def add_sample(self) -> None:
        await self.connection.execute(
            "INSERT INTO sample (tenant_id, station_id, session_id, at, received_at, energy_wh)"
            " VALUES (1, $1, $2, $3, now(), 115)",
            self.station_id, self.session_id, SAMPLE_AT,
        )  # fmt: skip

    async def add_all(self) -> None:
        await self.add_frame()
        await self.add_session()
        await self.add_sample()

    async def judge(self) -> Findings:
        return await check(self.dsn, self.journal, LONG_AGO)


@pytest.fixture
async def record(empty_database: str) -> AsyncIterator[Record]:
    database = Database(empty_database)
    await migrate(database.engine)
    await database.close()
    connection = await asyncpg.connect(empty_database)
    station_id = await connection.fetchval(
        "INSERT INTO station (tenant_id, identity, admission, secret_digest) VALUES (1, $1, 'accepted', '')"
        " RETURNING id",
        STATION,
    )
    yield Record(empty_database, connection, station_id)
    await connection.close()


async def test_a_true_record_is_good(record: Record) -> None:
    await record.add_all()
    assert (await record.judge()).good


async def test_what_is_missing_is_lost(record: Record) -> None:
    found = await record.judge()
    assert [text.split()[0] for text in found.lost] == ["frame", "session", "sample"]
    assert not found.doubled
    assert not found.wrong


async def test_what_was_not_answered_may_be_missing(record: Record) -> None:
    record.journal.answered.clear()
    record.journal.charges = [Charge(STATION, AT, 100, samples={SAMPLE_AT: (115, False)})]
    assert (await record.judge()).good


async def test_a_second_session_of_one_start_is_doubled(record: Record) -> None:
    await record.add_all()
    await record.add_session(ref="78")
    assert len((await record.judge()).doubled) == 1


async def test_a_second_sample_is_doubled(record: Record) -> None:
    await record.add_all()
    await record.add_sample()
    assert len((await record.judge()).doubled) == 1


async def test_a_wrong_energy_is_wrong(record: Record) -> None:
    await record.add_frame()
    await record.add_session(energy_wh=14)
    await record.add_sample()
    assert len((await record.judge()).wrong) == 1


async def test_a_session_that_nobody_started_is_wrong(record: Record) -> None:
    await record.add_all()
    record.journal.charges.clear()
    assert "no station started it" in (await record.judge()).wrong[0]
