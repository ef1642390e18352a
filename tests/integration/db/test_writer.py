"""The group-commit writer on a real PostgreSQL: batches, poison, fences, a full queue, a good end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from pilotwire.db.bundle import Writing
from pilotwire.db.writer import Fenced, GroupWriter
from tests.support.edge import migrated_database
from tests.support.postgres import drop_database
from tests.support.writing import LINE_TABLE, NAME, Line, Said, running_writer, texts, write_lines


@pytest.fixture
def dsn(postgres_server: str) -> Iterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    made = await asyncpg.connect(dsn)
    await made.execute(LINE_TABLE)
    yield made
    await made.close()


async def add_station(connection: asyncpg.Connection, number: int) -> None:
    await connection.execute(
        "INSERT INTO station (id, tenant_id, identity, admission, secret_digest) VALUES ($1, 1, $2, 'accepted', '')",
        number,
        f"CP-{number}",
    )
    await connection.execute("INSERT INTO station_presence (station_id, tenant_id) VALUES ($1, 1)", number)


async def raise_epoch(connection: asyncpg.Connection, number: int) -> None:
    await connection.execute(
        "UPDATE station_presence SET connection_epoch = connection_epoch + 1 WHERE station_id = $1", number
    )


def fail_after(call: Callable[[], None]) -> Callable[[], None]:
    """Give what answers a station, and then fails."""

    def failing() -> None:
        call()
        raise RuntimeError("its socket broke")

    return failing


async def test_what_comes_during_a_commit_is_the_next_batch(dsn: str, connection: asyncpg.Connection) -> None:
    async with running_writer(dsn) as writer:
        said = [Said(str(number)) for number in range(500)]
        for entry in said:
            writer.submit(entry)
        await asyncio.gather(*(entry.fate for entry in said))
        assert writer.entries == 500
        assert writer.batches < 5
    assert await texts(connection) == [str(number) for number in range(500)]


async def test_a_release_comes_after_the_commit(dsn: str, connection: asyncpg.Connection) -> None:
    async with running_writer(dsn) as writer:
        for number in range(20):
            entry = Said(str(number))
            writer.submit(entry)
            await entry.fate
            assert (await texts(connection))[-1] == str(number)


async def test_poison_is_put_aside_and_its_neighbours_are_kept(
    dsn: str, connection: asyncpg.Connection
) -> None:
    async with running_writer(dsn) as writer:
        said = [Said("poison" if number in (0, 37, 99) else str(number), number) for number in range(100)]
        for entry in said:
            writer.submit(entry)
        fates = await asyncio.gather(*(entry.fate for entry in said), return_exceptions=True)
        refused = [number for number, fate in enumerate(fates) if fate is not None]
        assert refused == [0, 37, 99]
        assert all(isinstance(fates[number], asyncpg.CheckViolationError) for number in refused)
        assert writer.poisoned == 3
    assert len(await texts(connection)) == 97
    kept = await connection.fetch("SELECT station_id, records, error FROM quarantine ORDER BY station_id")
    assert [row["station_id"] for row in kept] == [0, 37, 99]
    assert all("poison" in row["records"] and "CheckViolation" in row["error"] for row in kept)


async def test_a_record_that_nothing_writes_is_poison(dsn: str, connection: asyncpg.Connection) -> None:
    async with running_writer(dsn) as writer:
        odd, good = Said("x"), Said("good")
        odd.records = ["no table takes texts"]
        writer.submit(odd)
        writer.submit(good)
        await good.fate
        with pytest.raises(TypeError):
            await odd.fate
    assert await texts(connection) == ["good"]


async def test_what_a_connection_says_after_its_poison_is_not_kept(
    dsn: str, connection: asyncpg.Connection
) -> None:
    for number in (1, 2):
        await add_station(connection, number)
        await raise_epoch(connection, number)
    async with running_writer(dsn) as writer:
        said = [Said("a", 1, 1), Said("poison", 1, 1), Said("b", 2, 1), Said("c", 1, 1)]
        for entry in said:
            writer.submit(entry)
        fates = await asyncio.gather(*(entry.fate for entry in said), return_exceptions=True)
        later = Said("d", 1, 1)
        writer.submit(later)
        with pytest.raises(Fenced):
            await later.fate
        await raise_epoch(connection, 1)
        anew = Said("e", 1, 2)
        writer.submit(anew)
        await anew.fate
    assert [type(fate) for fate in fates] == [
        type(None),
        asyncpg.CheckViolationError,
        type(None),
        Fenced,
    ]
    assert await texts(connection) == ["a", "b", "e"]


async def test_a_stale_epoch_writes_nothing(dsn: str, connection: asyncpg.Connection) -> None:
    for number in (1, 2):
        await add_station(connection, number)
        await raise_epoch(connection, number)
    async with running_writer(dsn) as writer:
        first = Said("before", 1, 1)
        writer.submit(first)
        await first.fate
        await raise_epoch(connection, 1)  # the station has connected to another gateway
        stale, neighbour, unbound = Said("stale", 1, 1), Said("neighbour", 2, 1), Said("unbound", 1, 0)
        for entry in (stale, neighbour, unbound):
            writer.submit(entry)
        await asyncio.gather(neighbour.fate, unbound.fate)
        with pytest.raises(Fenced):
            await stale.fate
    assert await texts(connection) == ["before", "neighbour", "unbound"]
    assert await connection.fetchval("SELECT count(*) FROM quarantine") == 0


async def test_who_takes_over_waits_for_the_batch_that_is_being_committed(
    dsn: str, connection: asyncpg.Connection
) -> None:
    """Between the check of the epoch and the commit nobody can raise the epoch as `attach` does."""
    await add_station(connection, 1)
    await raise_epoch(connection, 1)
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(slow: Writing, records: list[Line]) -> None:
        await write_lines(slow, records)
        reached.set()
        await go_on.wait()

    writer = GroupWriter(dsn, NAME, {Line: slowly})
    await writer.start()
    try:
        entry = Said("in flight", 1, 1)
        writer.submit(entry)
        await reached.wait()

        async def take_over() -> int:
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", NAME)
                await raise_epoch(connection, 1)
                count: int = await connection.fetchval("SELECT count(*) FROM line")
                return count

        taking = asyncio.create_task(take_over())
        await asyncio.sleep(0.2)
        assert not taking.done()
        go_on.set()
        assert await taking == 1
        await entry.fate
    finally:
        await writer.close()


async def test_others_hear_of_what_is_kept_when_all_answers_are_out_and_of_nothing_else(
    dsn: str, connection: asyncpg.Connection
) -> None:
    await add_station(connection, 7)
    await raise_epoch(connection, 7)
    heard: list[str] = []

    def tell(notices: list[str]) -> None:
        assert all(entry.fate.done() for entry in said[:2])
        heard.extend(notices)

    async with running_writer(dsn, tell=tell) as writer:
        said = [Said("one"), Said("two"), Said("fenced", 7, 5), Said("poison"), Said("last")]
        said[1].kept = fail_after(said[1].kept)  # type: ignore[method-assign]
        for entry in said:
            entry.told = [f"{entry.records[0].text} was kept"]
            writer.submit(entry)
        await asyncio.gather(*(entry.fate for entry in said), return_exceptions=True)
        await writer.settled()
    assert heard == ["one was kept", "two was kept", "last was kept"]


async def test_the_queue_says_when_it_is_full(dsn: str, connection: asyncpg.Connection) -> None:
    async with running_writer(dsn, capacity=10, batch_size=5) as writer:
        said = [Said(str(number)) for number in range(12)]
        for entry in said[:9]:
            writer.submit(entry)
        assert not writer.full
        for entry in said[9:]:
            writer.submit(entry)
        assert writer.full
        await asyncio.gather(*(entry.fate for entry in said))
        assert not writer.full
        assert writer.waiting == 0
    assert await texts(connection) == [str(number) for number in range(12)]


async def test_closing_writes_what_waits(dsn: str, connection: asyncpg.Connection) -> None:
    async with running_writer(dsn, batch_size=10) as writer:
        said = [Said(str(number)) for number in range(100)]
        for entry in said:
            writer.submit(entry)
    assert all(entry.fate.done() for entry in said)
    assert len(await texts(connection)) == 100


async def test_everything_before_is_settled(dsn: str, connection: asyncpg.Connection) -> None:
    async with running_writer(dsn, batch_size=7) as writer:
        said = [Said("poison" if number == 20 else str(number)) for number in range(50)]
        for entry in said:
            writer.submit(entry)
        await writer.settled()
        assert all(entry.fate.done() for entry in said)
        assert said[20].fate.exception() is not None
    assert len(await texts(connection)) == 49


async def test_a_name_with_a_quote_is_a_name(dsn: str, connection: asyncpg.Connection) -> None:
    writer = GroupWriter(dsn, "o'brien's", {Line: write_lines})
    await writer.start()
    entry = Said("hello")
    writer.submit(entry)
    await entry.fate
    await writer.close()
    assert await texts(connection) == ["hello"]
