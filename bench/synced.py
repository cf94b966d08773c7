"""Writes with a flush after so many of them, each flush once its writes are answered, as file systems do it.

fio's own ``fsync=N`` looks at the writes that have completed: with many in flight it sends a flush for nearly each.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from bbd.nbd import wire
from bench.client import FLUSH, Client, Requests, requests
from bench.errors import BenchError
from bench.loads import Load
from bench.processes import processor_seconds
from bench.results import Measurement
from bench.server import Server


class SyncedLoad(Load):
    """``count`` writes of ``block`` bytes at random offsets sent at once, then a flush, and again."""

    writes = True

    def __init__(self, name: str, peers: Sequence[str], block: int, count: int) -> None:
        self.name = name
        self.peers = peers
        self.block = block
        self._count = count
        self._made: dict[int, Requests] = {}
        self._sent: dict[str, int] = {}

    def measure(self, server: Server, area: int, seconds: float) -> Measurement:
        batches = self._batches(area)
        before = processor_seconds(server.session)
        with Client(server.address, server.peer.export) as client:
            start = time.perf_counter()
            sent = 0
            while (taken := time.perf_counter() - start) < seconds:
                self._write(client, batches[sent % len(batches)])
                sent += 1
        used = processor_seconds(server.session) - before
        self._sent[server.peer.name] = max(sent, self._sent.get(server.peer.name, 0))
        rate = sent * self._count / taken
        return Measurement(rate * self.block, rate, cpu_us=used / (sent * self._count) * 1e6)

    def verify(self, server: Server, area: int) -> None:
        """Read what was written, and compare each block."""
        with Client(server.address, server.peer.export) as client:
            for write in self._batches(area)[: self._sent[server.peer.name]].reshape(-1):
                asked = requests(wire.NBD_CMD_READ, np.array([write["offset"]], np.int64), self.block)
                if client.send(asked, self.block)[16:] != write["data"].tobytes():
                    raise BenchError(f"{server.peer.name}: what is at offset {write['offset']} was not written there")

    def _write(self, client: Client, batch: Requests) -> None:
        client.send(batch)
        client.send(FLUSH)

    def _batches(self, area: int) -> Requests:
        """Writes of random bytes to all blocks of the area in random order: a row of ``count`` for each flush."""
        if area not in self._made:
            random = np.random.default_rng(1)
            blocks = area // self.block // self._count * self._count
            made = requests(wire.NBD_CMD_WRITE, random.permutation(blocks) * self.block, self.block, payload=self.block)
            made["data"] = np.frombuffer(random.bytes(blocks * self.block), f"V{self.block}")
            self._made[area] = made.reshape(-1, self._count)
        return self._made[area]
