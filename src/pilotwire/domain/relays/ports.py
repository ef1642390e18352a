"""What relays ask of the outside: a socket to another back end."""

from collections.abc import Callable
from typing import Protocol

__all__ = ["BackEndRefused", "BackEndSocket", "Dial"]


class BackEndRefused(Exception):
    """The other back end cannot be reached, or did not let the station in; the text says why."""


class BackEndSocket(Protocol):
    """An open socket to another back end."""

    def send(self, text: bytes) -> None:
        """Send a text; after the end, nothing."""

    def close(self) -> None:
        """End it. Repeats: nothing happens."""


class Dial(Protocol):
    """Opens a socket to another back end as a station would."""

    async def __call__(
        self,
        url: str,
        identity: str,
        password: bytes,
        subprotocol: str,
        *,
        received: Callable[[bytes], None],
        lost: Callable[[], None],
    ) -> BackEndSocket:
        """Open it; `received` gets its texts in order, `lost` is called once when it is gone.

        Raises: BackEndRefused.
        """
        ...
