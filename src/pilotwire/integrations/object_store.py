"""Files in an object store that speaks S3: Amazon's own, MinIO, Ceph, Garage, R2 and so on."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime, timedelta

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from pilotwire.core.errors import Invalid, Unavailable

__all__ = ["ObjectStore", "open_bucket"]

_PART = 512 * 1024
# Parts of an upload have 5 MiB at least; so few are held at once, whatever the size of the file.
_UPLOAD_PART = 5 * 1024 * 1024
_PARTS_AT_ONCE = 2
# A missing bucket is told by an error that is none of the library's own kind.
_FAULTS = (BaseError, FileNotFoundError)


def open_bucket(
    bucket: str,
    *,
    endpoint: str = "",
    region: str = "",
    prefix: str = "",
    access_key_id: str = "",
    secret_access_key: str = "",
    path_style: bool = True,
) -> "ObjectStore":
    """Open a bucket. Without keys, those of the environment or the machine's role are used, as AWS's own tools do.

    Raises: Invalid when the endpoint is no address.
    """
    if endpoint and not endpoint.startswith(("https://", "http://")):
        raise Invalid(
            f"s3_endpoint: '{endpoint}' is no address such as https://s3.eu-central-1.amazonaws.com"
        )
    given = {
        "endpoint": endpoint.rstrip("/"),
        "region": region,
        "access_key_id": access_key_id,
        "secret_access_key": secret_access_key,
    }
    store = S3Store(
        bucket,
        prefix=prefix.strip("/") or None,
        config={name: value for name, value in given.items() if value},  # type: ignore[arg-type]
        virtual_hosted_style_request=not path_style,
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=5),
            "timeout": timedelta(seconds=60),
        },
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
    )
    return ObjectStore(store, bucket)


class ObjectStore:
    """Keeps each file as an object; it is there when it is whole."""

    def __init__(self, store: S3Store, bucket: str) -> None:
        self._store = store
        self._bucket = bucket

    async def write(self, key: str, content: AsyncIterator[bytes]) -> None:
        """Keep a file; it has its name when all of it has arrived. Raises: what `content` raises, Unavailable."""
        broken: list[BaseException] = []

        async def parts() -> AsyncIterator[bytes]:
            try:
                async for part in content:
                    if part:
                        yield part
            except BaseException as error:
                broken.append(error)
                raise

        try:
            async with aclosing(parts()) as whole:  # type: ignore[type-var]  # a generator
                await obstore.put_async(
                    self._store, key, whole, chunk_size=_UPLOAD_PART, max_concurrency=_PARTS_AT_ONCE
                )
        except BaseException as error:
            if broken:
                raise broken[0] from error
            if isinstance(error, _FAULTS):
                raise self._away(error) from error
            raise

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Give a part of a file. Raises: FileNotFoundError, Unavailable."""
        if end <= start:
            return
        left = end - start
        try:
            found = await obstore.get_async(self._store, key, options={"range": (start, end)})
            async for part in found.stream(min_chunk_size=_PART):
                piece = bytes(part)[:left]
                left -= len(piece)
                yield piece
        except (NotFoundError, FileNotFoundError) as error:
            raise FileNotFoundError(key) from error
        except _FAULTS as error:
            raise self._away(error) from error
        if left:
            raise OSError(f"the object of {key} is shorter than it was")

    async def delete(self, key: str) -> None:
        """Remove a file."""
        try:
            await obstore.delete_async(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return
        except _FAULTS as error:
            raise self._away(error) from error

    async def list(self) -> AsyncIterator[tuple[str, datetime]]:
        """Give every file below the prefix."""
        try:
            async for batch in obstore.list(self._store):
                for each in batch:
                    yield each["path"], each["last_modified"]
        except _FAULTS as error:
            raise self._away(error) from error

    async def check(self) -> None:
        """See whether the bucket can be reached. Raises: Unavailable that says why not."""
        async with aclosing(self.list()) as files:  # type: ignore[type-var]  # a generator
            async for _ in files:
                return

    def _away(self, error: Exception) -> Unavailable:
        words = " ".join(str(error).split("\n\nDebug source", maxsplit=1)[0].split())[:300]
        return Unavailable(f"the bucket '{self._bucket}' does not take or give files: {words}")
