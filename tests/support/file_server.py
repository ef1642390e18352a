"""A plain web server for files: what stations fetch, and what they deliver."""

import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Files", "file_server"]


class Files:
    """What was fetched and delivered, in order."""

    def __init__(self, contents: Mapping[str, bytes], url: str = "") -> None:
        self.contents = contents
        self.url = url
        self.fetched: list[str] = []
        self.delivered: dict[str, bytes] = {}


@asynccontextmanager
async def file_server(contents: Mapping[str, bytes]) -> AsyncIterator[Files]:
    """Serve contents by path, and take what is put."""
    files = Files(contents)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            files.fetched.append(self.path)
            content = files.contents.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def do_PUT(self) -> None:
            parts = []
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
            else:
                parts.append(self.rfile.read(int(self.headers["Content-Length"])))
            files.delivered[self.path] = b"".join(parts)
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    files.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield files
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
