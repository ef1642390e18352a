"""permessage-deflate without context takeover in either direction.

OCPP 2.1 asks a CSMS to support it. Nothing is kept between messages, so that an idle connection costs no
memory for it. Spec: RFC 7692; OCPP 2.1 part 4 3.4.
"""

import zlib
from dataclasses import dataclass

EXTENSION = "permessage-deflate"
_TAIL = b"\x00\x00\xff\xff"
_MIN_BITS = 9  # zlib cannot write a raw stream with a window of 8 bits
_MAX_BITS = 15
_OWN_BITS = 13  # messages are small; a smaller window makes the compressor cheaper to set up
_LEVEL = 3
_MEMORY_LEVEL = 6


class InflateError(Exception):
    """The compressed message cannot be inflated."""


class InflatedTooBigError(InflateError):
    """The message is larger than allowed once inflated."""


@dataclass(frozen=True, slots=True)
class Deflate:
    """What was agreed on one connection. `window_bits` bounds our own compressor."""

    window_bits: int = _OWN_BITS
    header: str = f"{EXTENSION}; server_no_context_takeover; client_no_context_takeover"

    def compress(self, text: bytes) -> bytes:
        """One message, compressed on its own."""
        compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -self.window_bits, _MEMORY_LEVEL)
        return (compressor.compress(text) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]

    def inflate(self, data: bytes, limit: int) -> bytes:
        """One message, inflated; never builds more than `limit` bytes.

        Raises: InflatedTooBigError, InflateError.
        """
        inflater = zlib.decompressobj(-_MAX_BITS)
        try:
            text = inflater.decompress(data + _TAIL, limit + 1)
        except zlib.error as error:
            raise InflateError(str(error)) from None
        if len(text) > limit:
            raise InflatedTooBigError
        return text


def negotiate(offers: str) -> Deflate | None:
    """The first offer of `Sec-WebSocket-Extensions` that can be met, or None to go on without compression."""
    for offer in offers.split(","):
        agreed = _accept(offer)
        if agreed is not None:
            return agreed
    return None


def _accept(offer: str) -> Deflate | None:
    name, *parameters = (part.strip() for part in offer.split(";"))
    if name.lower() != EXTENSION:
        return None
    values: dict[str, str | None] = {}
    for parameter in parameters:
        key, equals, raw = (part.strip() for part in parameter.partition("="))
        if key.lower() in values:
            return None
        values[key.lower()] = raw if equals else None
    for flag in ("server_no_context_takeover", "client_no_context_takeover"):
        if values.pop(flag, None) is not None:
            return None
    # We inflate with the largest window, so whatever the client keeps to is fine and needs no answer.
    client_bits = values.pop("client_max_window_bits", None)
    if client_bits is not None and _window_bits(client_bits) is None:
        return None
    if "server_max_window_bits" not in values:
        return None if values else Deflate()
    bits = _window_bits(values.pop("server_max_window_bits") or "")
    if bits is None or bits < _MIN_BITS or values:
        return None
    return Deflate(min(bits, _OWN_BITS), f"{Deflate().header}; server_max_window_bits={bits}")


def _window_bits(raw: str) -> int | None:
    raw = raw.strip('"')
    if raw.isascii() and raw.isdigit() and 8 <= int(raw) <= _MAX_BITS:
        return int(raw)
    return None
