"""An S3 server of somebody else's making, as a process of its own."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import Request, urlopen

__all__ = ["BUCKET", "object_server"]

BUCKET = "pilotwire-files"


@contextmanager
def object_server() -> Iterator[str]:
    """Start moto's server with an empty bucket; give its address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        until = monotonic() + 120
        while True:
            try:
                with urlopen(Request(f"{url}/{BUCKET}", method="PUT"), timeout=30):
                    break
            except (URLError, ConnectionError):
                if monotonic() > until or process.poll() is not None:
                    raise
                sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(30)
