"""A stand-in of the known design, Block Block Device's (github.com/williambl/blockblockdevice): nbdkit's Python plugin
asks another server by HTTP, one request a chunk, its bytes in base64. None of that project's code is here."""

from __future__ import annotations

import base64
import http.client
import subprocess
import threading
from collections.abc import Iterator

import nbdkit

API_VERSION = 2
CHUNK = 4096
"""As small as our requests: smaller ones would ask more often, larger ones would carry more than is asked for."""


class Server:
    """The other server, and a connection to it for each of nbdkit's threads."""

    size = 0
    script = ""

    def start(self) -> None:
        self.process = subprocess.Popen(["python3", self.script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.local = threading.local()
        self.patching = threading.Lock()

    def ask(self, method: str, chunk: int, body: bytes | None = None) -> bytes:
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection: http.client.HTTPConnection = self.local.connection
        connection.request(method, f"/chunk/{chunk}", body)
        return connection.getresponse().read()

    def get(self, chunk: int) -> bytes:
        return base64.b64decode(self.ask("GET", chunk))

    def put(self, chunk: int, content: bytes | memoryview) -> None:
        self.ask("PUT", chunk, base64.b64encode(content))

    def stop(self) -> None:
        self.process.communicate()


server = Server()


def config(key: str, value: str) -> None:
    if key == "size":
        server.size = int(value)
    elif key == "server":
        server.script = value
    else:
        raise RuntimeError(f"unknown parameter {key}")


def after_fork() -> None:
    server.start()


def cleanup() -> None:
    server.stop()


def thread_model() -> int:
    model: int = nbdkit.THREAD_MODEL_PARALLEL
    return model


def open(_readonly: bool) -> int:  # noqa: A001 - nbdkit's name for it
    return 1


def get_size(_handle: int) -> int:
    return server.size


def can_multi_conn(_handle: int) -> bool:
    return True


def can_flush(_handle: int) -> bool:
    return True


def pread(_handle: int, buffer: bytearray, offset: int, _flags: int) -> None:
    for chunk, start, part in _pieces(buffer, offset):
        part[:] = server.get(chunk)[start : start + len(part)]


def pwrite(_handle: int, buffer: bytearray, offset: int, _flags: int) -> None:
    for chunk, start, part in _pieces(buffer, offset):
        if len(part) == CHUNK:
            server.put(chunk, part)
            continue
        with server.patching:
            old = server.get(chunk)
            server.put(chunk, old[:start] + part + old[start + len(part) :])


def flush(_handle: int, _flags: int) -> None:
    pass


def _pieces(buffer: bytearray, offset: int) -> Iterator[tuple[int, int, memoryview]]:
    """The chunks under a request: number, first byte, and the part of the buffer that is theirs."""
    view = memoryview(buffer)
    while view:
        chunk, start = divmod(offset, CHUNK)
        part, view = view[: CHUNK - start], view[CHUNK - start :]
        yield chunk, start, part
        offset += len(part)
