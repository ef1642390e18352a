"""Where this system is reached from outside, as far as that can be guessed."""

import socket
from urllib.parse import urlsplit

__all__ = ["from_stations_url", "own_host"]

_SCHEMES = {"ws": "http", "wss": "https"}


def from_stations_url(url: str) -> str:
    """Give the web address on the host at which stations connect: what stands before one serves the other too."""
    parts = urlsplit(url)
    scheme = _SCHEMES.get(parts.scheme)
    return f"{scheme}://{parts.hostname}" if scheme and parts.hostname else ""


def own_host(host: str) -> str:
    """Give a host that others can dial: for a server that listens on all addresses, the one towards the outside."""
    if host not in ("", "0.0.0.0", "::"):
        return f"[{host}]" if ":" in host else host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        try:
            trial.connect(("192.0.2.1", 9))  # nothing is sent: it only chooses the way
        except OSError:
            return "127.0.0.1"
        return str(trial.getsockname()[0])
