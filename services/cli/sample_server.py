"""Serves the sample feeds on loopback, with validators, as a publisher would."""

import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

FIRST_PORT = 20_000
N_PORTS = 10_000
N_TRIES = 50
MEDIA_TYPES = {".xml": "application/xml", ".json": "application/feed+json"}


@contextmanager
def serve_feeds(folder: Path, *, seed: str) -> Iterator[list[str]]:
    """Serve the files of a folder; yield their addresses.

    Args:
        folder: What is served.
        seed: Equal seeds get the same port if it is free, so that a second run in the
            same home finds the feeds under the addresses they had.
    """
    server = _bind(partial(_Handler, folder), seed)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield [f"{base}/{file.name}" for file in sorted(folder.iterdir())]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _bind(handler: "partial[_Handler]", seed: str) -> ThreadingHTTPServer:
    first = zlib.crc32(seed.encode()) % N_PORTS
    for step in range(N_TRIES):
        port = FIRST_PORT + (first + step) % N_PORTS
        try:
            return ThreadingHTTPServer(("127.0.0.1", port), handler)
        except OSError:
            continue  # somebody has it
    return ThreadingHTTPServer(("127.0.0.1", 0), handler)


class _Handler(BaseHTTPRequestHandler):
    """Answers GET for the files of one folder, conditionally by ETag."""

    def __init__(self, folder: Path, *request: object) -> None:
        self._folder = folder
        super().__init__(*request)  # type: ignore[arg-type]  # passed through as given

    def do_GET(self) -> None:
        file = self._folder / Path(self.path).name
        if not file.is_file():
            self.send_error(404)
            return
        body = file.read_bytes()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.send_header("ETag", etag)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", MEDIA_TYPES.get(file.suffix, "text/plain"))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the demo has its own words."""
