"""What can go wrong with files."""

from pilotwire.core.errors import Conflict, Invalid, NotFound

__all__ = [
    "AddressUsed",
    "ChecksumMismatch",
    "FileTooLarge",
    "FirmwareExists",
    "FirmwareInUse",
    "FirmwareIncomplete",
    "FirmwareUploaded",
    "UnknownAddress",
    "WrongSignature",
]


class FirmwareExists(Conflict):
    """There is firmware of this version for the model already."""

    code = "firmware_exists"


class FirmwareInUse(Conflict):
    """A task that is not over installs this firmware."""

    code = "firmware_in_use"


class FirmwareIncomplete(Conflict):
    """The firmware's file has not been uploaded yet."""

    code = "firmware_incomplete"


class FirmwareUploaded(Conflict):
    """The firmware has its file already; a file never changes."""

    code = "firmware_uploaded"


class FileTooLarge(Invalid):
    """The file is larger than is allowed."""

    code = "file_too_large"


class ChecksumMismatch(Invalid):
    """The file that came is not the one that was announced."""

    code = "checksum_mismatch"


class WrongSignature(Invalid):
    """The signature is not one of this file by this certificate."""

    code = "wrong_signature"


class UnknownAddress(NotFound):
    """There is no such address for a file."""

    code = "unknown_address"


class AddressUsed(Conflict):
    """The address was good for one file and has been used, or its time is over."""

    code = "address_used"
