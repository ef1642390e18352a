"""Where firmware and logs are kept: in the data directory, or in a bucket."""

import structlog

from pilotwire.core.errors import Unavailable
from pilotwire.domain.transfers.ports import FileStore
from pilotwire.integrations.directory import DirectoryStore
from pilotwire.settings import Settings

__all__ = ["open_store"]

log = structlog.get_logger(__name__)


async def open_store(settings: Settings) -> FileStore:
    """Open the store; a bucket that is away is no reason not to serve stations, but is told in the log.

    Raises: Invalid when the endpoint is no address.
    """
    if not settings.s3_bucket:
        return DirectoryStore(settings.data_dir / "files")
    from pilotwire.integrations.object_store import open_bucket

    store = open_bucket(
        settings.s3_bucket,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        prefix=settings.s3_prefix,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=settings.s3_secret_access_key.get_secret_value(),
        path_style=settings.s3_path_style,
    )
    try:
        await store.check()
    except Unavailable as error:
        log.warning("firmware and logs cannot be kept or given now", reason=error.detail)
    return store
