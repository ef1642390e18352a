"""The addresses at which stations fetch and deliver files."""

from pilotwire.domain.transfers.model import TOKEN_LENGTH

__all__ = ["FileAddresses"]

_PLACEHOLDER = "x" * TOKEN_LENGTH


class FileAddresses:
    """Spells addresses under the public address of this system, which is known when it listens.

    2.0.1 and the 1.6 security whitepaper take 512 characters.
    """

    def __init__(self, base_url: str = "") -> None:
        self.base_url = base_url

    def firmware(self, file_name: str, token: str = _PLACEHOLDER) -> str:
        """Where a station fetches firmware; many look at the name's ending."""
        return f"{self._base}/files/firmware/{token}/{file_name}"

    def log(self, token: str = _PLACEHOLDER) -> str:
        """Where a station delivers a log; 1.6 calls it a directory, and stations add their file's name."""
        return f"{self._base}/files/logs/{token}/"

    @property
    def _base(self) -> str:
        return self.base_url.rstrip("/") or "http://127.0.0.1"
