"""What can be wrong with an embedded server, in words that say what to do."""

from pilotwire.core.errors import PilotwireError

__all__ = ["DataDirectoryError", "IncompatibleDataError", "ServerStartError"]


class DataDirectoryError(PilotwireError):
    """The data directory of the embedded PostgreSQL cannot be used."""

    code = "data_directory_unusable"


class IncompatibleDataError(PilotwireError):
    """The data directory was made by another major version of PostgreSQL."""

    code = "data_directory_incompatible"


class ServerStartError(PilotwireError):
    """The embedded PostgreSQL did not start."""

    code = "database_start_failed"
