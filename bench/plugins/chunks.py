"""The known design's other half: an HTTP server that keeps chunks in memory. It prints its port, and ends when its
standard input does. It knows just enough of HTTP to be fast: what is measured is the design, not a library."""

from __future__ import annotations

import asyncio
import base64
import sys

CHUNK = 4096
EMPTY = base64.b64encode(bytes(CHUNK))
chunks: dict[bytes, bytes] = {}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        method, path, _ = head.split(b" ", 2)
        body = b""
        if method == b"PUT":
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            chunks[path] = await reader.readexactly(int(length))
        else:
            body = chunks.get(path, EMPTY)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
