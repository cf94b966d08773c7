"""What each layer of bbd takes of a batch of small requests, measured in this process: with one layer more each time,
so that a layer's part is the difference."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from bbd.disk.disk import Disk
from bbd.nbd.buffers import Arena
from bbd.nbd.export import Export
from bbd.nbd.options import Chosen
from bbd.nbd.peers import Host
from bbd.nbd.session import Session
from bbd.nbd.transmission import Bounds, Transmission
from bench.client import Requests

_LARGEST = 32 << 20
_REPEATS = 9
_SECONDS = 0.1
_ROOM = 1 << 20


class _Transport:
    """In place of uvloop's: keeps what is to be sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def writelines(self, parts: Sequence[bytes]) -> None:
        self.sent = list(parts)

    def is_reading(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return False


def layers(disk: Disk, batch: Requests) -> dict[str, float]:
    """Microseconds of each layer for one of the batch's requests, all READs or all WRITEs of 4 KiB that are cached.

    Call it on a running event loop.
    """
    whole = batch.tobytes()
    receiver, transport = Arena(), _Transport()
    transmission = Transmission(Bounds(disk.size, _LARGEST, disk.read_only, disk.block_size, disk.piece_size), receiver)
    export = Export("bench", "", disk)
    session = Session(Host((export,)), Chosen(export, 0, _LARGEST), writable=True)
    session.begin(cast("Any", transport), b"")

    def copy() -> None:
        receiver.view[: len(whole)] = whole

    def parse() -> None:
        transmission.get_buffer()[: len(whole)] = whole
        transmission.received(len(whole))
        run = transmission.run()
        assert run is not None
        transmission.skip(run, len(run.offsets))
        transmission.park()

    def answer() -> None:
        session.get_buffer(0)[: len(whole)] = whole
        session.buffer_updated(len(whole))

    copying, parsing, answering = (_microseconds(step) for step in (copy, parse, answer))
    in_memory = _microseconds(_lookup(disk, batch))
    receiving, sending = _through_sockets(whole, transport.sent)
    spent = {
        "receive: the kernel": receiving,
        "parse": parsing - copying,
        "memory": in_memory,
        "build the replies": answering - parsing - in_memory,
        "send: the kernel": sending,
    }
    return {layer: taken / len(batch) for layer, taken in spent.items()}


def _lookup(disk: Disk, batch: Requests) -> Callable[[], None]:
    offsets = batch["offset"].tolist()
    length = int(batch["length"][0])

    def read() -> None:
        disk.try_reads(offsets, length)

    def write() -> None:
        disk.try_writes(offsets, payloads)

    if "data" not in (batch.dtype.names or ()):
        return read
    payloads = [memoryview(data.tobytes()) for data in batch["data"]]
    return write


def _through_sockets(request: bytes, replies: Sequence[bytes]) -> tuple[float, float]:
    """Microseconds of the call that receives the requests, and of the one that sends the replies."""
    here, there = socket.socketpair()
    with here, there:
        for end in (here, there):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)
        buffer = bytearray(_ROOM)
        reply = sum(map(len, replies))
        receiving = _microseconds(lambda: here.recv_into(buffer), before=lambda: there.sendall(request))
        sending = _microseconds(lambda: here.sendmsg(replies), after=lambda: _drain(there, buffer, reply))
    return receiving, sending


def _drain(end: socket.socket, buffer: bytearray, length: int) -> None:
    while length:
        length -= end.recv_into(buffer)


def _microseconds(
    step: Callable[[], object], before: Callable[[], object] | None = None, after: Callable[[], object] | None = None
) -> float:
    """Processor time of one step, the median of some runs; what comes before and after each is not counted."""
    rates = []
    for _ in range(_REPEATS):
        taken, steps, end = 0.0, 0, time.perf_counter() + _SECONDS
        while time.perf_counter() < end:
            if before is not None:
                before()
            start = time.thread_time()
            step()
            taken += time.thread_time() - start
            if after is not None:
                after()
            steps += 1
        rates.append(taken / steps)
    return sorted(rates)[_REPEATS // 2] * 1e6
