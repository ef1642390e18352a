"""Firmware and logs in an S3 store, which an independent server keeps in a process of its own."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from pilotwire.core.errors import Invalid, Unavailable
from pilotwire.integrations.object_store import ObjectStore, open_bucket
from tests.support.object_store import BUCKET, object_server
from tests.support.operations import operations
from tests.support.transfers import add_firmware

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with object_server() as url:
        yield url


def bucket(url: str, prefix: str = "one", name: str = BUCKET) -> ObjectStore:
    return open_bucket(
        name,
        endpoint=url,
        region="eu-central-1",
        prefix=prefix,
        access_key_id="id",
        secret_access_key="secret",
    )


async def parts(*each: bytes) -> AsyncIterator[bytes]:
    for part in each:
        yield part


async def whole(store: ObjectStore, key: str, start: int, end: int) -> bytes:
    return b"".join([part async for part in store.read(key, start, end)])


async def test_files_are_kept_read_in_parts_listed_and_removed(server: str) -> None:
    store = bucket(server, "files")
    await store.check()
    content = bytes(range(256)) * 4096 * 13  # 13 MiB: three parts of an upload
    pieces = [content[start : start + 65_000] for start in range(0, len(content), 65_000)]
    await store.write("firmware/a", parts(*pieces))
    await store.write("logs/b", parts(b"short"))
    await store.write("logs/empty", parts())
    assert (
        hashlib.sha256(await whole(store, "firmware/a", 0, len(content))).digest()
        == hashlib.sha256(content).digest()
    )
    assert await whole(store, "firmware/a", 5 * MIB - 3, 5 * MIB + 4) == content[5 * MIB - 3 : 5 * MIB + 4]
    assert await whole(store, "logs/empty", 0, 0) == b""
    listed = {key: at async for key, at in store.list()}
    assert set(listed) == {"firmware/a", "logs/b", "logs/empty"}
    assert all(abs(datetime.now(UTC) - at) < timedelta(hours=1) for at in listed.values())
    await store.delete("logs/b")
    await store.delete("logs/b")
    with pytest.raises(FileNotFoundError):
        await whole(store, "logs/b", 0, 5)


async def test_an_upload_that_breaks_off_leaves_nothing(server: str) -> None:
    store = bucket(server, "broken")

    async def breaks_off() -> AsyncIterator[bytes]:
        for _ in range(7):
            yield bytes(MIB)
        raise Invalid("the sum is wrong")

    with pytest.raises(Invalid, match="the sum is wrong"):
        await store.write("firmware/c", breaks_off())
    assert [each async for each in store.list()] == []


async def test_a_store_that_is_away_is_told_in_words(server: str) -> None:
    with pytest.raises(Unavailable, match="bucket 'nobodys'"):
        await bucket(server, name="nobodys").write("a", parts(b"a"))
    with pytest.raises(Invalid, match="s3_endpoint"):
        open_bucket(BUCKET, endpoint="minio:9000")


async def test_stations_fetch_firmware_that_is_kept_there(server: str, postgres_server: str) -> None:
    store = bucket(server, "whole")
    content = b"new firmware" * 100_000
    async with operations(postgres_server, store=store) as system:
        image = await add_firmware(system, content)
        path = f"/api/v1/firmware/{image['id']}/content"
        again = await system.http.get(path, headers={"Range": "bytes=10-19"})
        assert again.content in (content, content[10:20])
        (key,) = [key async for key, _ in store.list()]
        async with httpx.AsyncClient() as plain:
            kept = await plain.get(f"{server}/{BUCKET}/whole/{key}")
        assert kept.content == content, "the other server has the file as it is"
