"""A connection's second phase: the loop between a socket and a device.

What the device has at hand is answered on the spot, all replies of one piece of input with one gathered call. The rest
becomes tasks, whose replies come in the order in which they are ready, as the protocol allows.

A connection takes no more input while its client does not read or while its tasks have reached their limits; what is
left of the input waits, unparsed. So its memory is bounded by the limits, the transport's high-water mark and a batch.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from bbd.nbd import wire
from bbd.nbd.execution import Work, error_value, execute
from bbd.nbd.export import Part
from bbd.nbd.options import Chosen
from bbd.nbd.peers import Host
from bbd.nbd.runs import Run
from bbd.nbd.transmission import OK_REPLY, Bounds, Transmission, error_reply

logger = logging.getLogger("bbd.nbd")

BATCH: Final = 1 << 20
"""Bytes read and written before their replies are sent, though there be more requests."""

FEW: Final = 3
"""Parts of replies, headers included, after which the next request is awaited awake: those of one small request."""


class Session(asyncio.BufferedProtocol):
    """One connection in transmission."""

    def __init__(self, host: Host, chosen: Chosen, *, writable: bool) -> None:
        device = chosen.export.device
        self._host = host
        self._device = device
        bounds = Bounds(device.size, chosen.max_length, device.read_only, device.block_size, device.piece_size)
        self._transmission = Transmission(bounds, host.arena)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._writable = writable
        self._reading = True
        self._draining = False
        self._lost = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_flight = 0
        self._in_flight_bytes = 0
        self._woken = False
        self._ready: list[Part] = []
        self._grace: asyncio.TimerHandle | None = None

    def begin(self, transport: asyncio.Transport, data: bytes) -> None:
        """Take over the transport, and the input that came after the handshake."""
        self._transport = transport
        self._reading = transport.is_reading()
        self._transmission.get_buffer()[: len(data)] = data
        self.buffer_updated(len(data))

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Where the next input goes."""
        return self._transmission.get_buffer()

    def buffer_updated(self, nbytes: int) -> None:
        """Answer every request that is complete now."""
        if self._transmission.received(nbytes):
            self._answer()
        if self._transmission.midway and self._host.peers.has_one:
            self._host.payload_spinner.touch()

    def pause_writing(self) -> None:
        """The client does not read its replies."""
        self._writable = False

    def resume_writing(self) -> None:
        """The client reads again."""
        self._writable = True
        self._go_on()

    def eof_received(self) -> None:
        """The client has gone. Requests in flight are finished, their replies are dropped."""
        self.close()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Let go of everything but the requests in flight."""
        self._lost = True
        if self._grace is not None:
            self._grace.cancel()
        self._ready.clear()
        if not self._in_flight:
            self._host.peers.remove(self)

    def shut_down(self) -> None:
        """Finish what is in flight, refuse the rest with ESHUTDOWN, close."""
        self._transmission.shut_down()
        self._drain()

    def close(self) -> None:
        """Close when the last reply is read, or after the grace."""
        self._transport.close()
        if self._grace is None and not self._lost:
            self._grace = self._loop.call_later(self._host.limits.close_grace, self._transport.abort)

    def _answer(self) -> None:  # noqa: C901 - one loop: calls per request are what makes such loops slow
        transmission = self._transmission
        device = self._device
        wrote = self._answer_runs()
        try_read, try_write, try_flush = device.try_read, device.try_write, device.try_flush
        try_write_pieces = device.try_write_pieces
        replies: list[Part] = []
        moved = 0
        bare = True  # replies without data
        for error, command, flags, cookie, offset, length, payload in transmission.requests():
            if error:
                replies.append(error_reply(error, cookie))
                continue
            parts: Sequence[Part] | None = None
            try:
                if command == wire.NBD_CMD_READ:
                    parts = try_read(offset, length)
                elif payload is None:
                    parts = () if command == wire.NBD_CMD_FLUSH and try_flush() else None
                elif try_write_pieces(offset, payload) if isinstance(payload, list) else try_write(offset, payload):
                    parts = ()
                done = parts is not None and (not flags or try_flush())
            except Exception as failure:
                replies.append(error_reply(error_value(failure), cookie))
                continue
            if parts is None or not done:
                kept = None if payload is None or parts is not None else transmission.keep(payload)
                self._start(Work(command, flags, cookie, offset, length, kept))
                if self._full:
                    break
                continue
            replies.append(OK_REPLY + cookie)
            if parts:
                replies += parts
                bare = False
            else:
                wrote = True
            moved += length
            if moved >= BATCH:
                self._send(replies)
                replies, moved, bare = [], 0, True
                if not self._writable:
                    break
        if replies:
            self._send([b"".join(replies)] if bare and len(replies) > 1 else replies)
            if len(replies) <= FEW:
                self._host.spinner.touch()
        if wrote and device.foresees_flush:
            self._loop.call_soon(device.flush_ahead)  # the replies are sent before that, at the end of this turn
        transmission.park()
        if self._in_flight or not (self._reading and self._writable) or transmission.ending is not None:
            self._decide()

    def _answer_runs(self) -> bool:
        """Answer what is many alike, as far as it comes first; whether some of it was written."""
        transmission, wrote = self._transmission, False
        while self._writable and (run := transmission.run()) is not None:
            count = self._answer_run(run)
            transmission.skip(run, count)
            wrote |= run.command == wire.NBD_CMD_WRITE
            if count < len(run.offsets):
                break
        return wrote

    def _answer_run(self, run: Run) -> int:
        """Answer as many of a run's requests as the device has at hand; how many."""
        replies: list[Part] = []
        try:
            if run.command == wire.NBD_CMD_WRITE:
                count = self._device.try_writes(run.offsets, run.payloads)
                if count:
                    replies.append(OK_REPLY + OK_REPLY.join(run.cookies[:count]))
            else:
                found = self._device.try_reads(run.offsets, run.length)
                count = len(found)
                for cookie, parts in zip(run.cookies, found, strict=False):
                    replies.append(OK_REPLY + cookie)
                    replies += parts
        except Exception:  # which request failed, and how, is seen when they are tried one by one
            return 0
        if replies:
            self._send(replies)
        return count

    @property
    def _full(self) -> bool:
        limits = self._host.limits
        return self._in_flight >= limits.max_in_flight or self._in_flight_bytes >= limits.max_in_flight_bytes

    @property
    def _stalled(self) -> bool:
        return not self._writable or self._full or self._transmission.ending is not None

    def _send(self, parts: list[Part]) -> None:
        if not self._transport.is_closing():
            self._transport.writelines(parts)

    def _decide(self) -> None:
        """After a round: end, or read on, or wait for the client or the device."""
        ending = self._transmission.ending
        if ending is not None and not self._draining:
            logger.debug("transmission ended: %s", ending.value)
            self._drain()
        if self._stalled == self._reading:
            self._reading = not self._reading
            if self._reading:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def _go_on(self) -> None:
        if not self._reading and not self._stalled:
            self._transmission.resume()
            self._answer()

    def _drain(self) -> None:
        self._draining = True
        if not self._in_flight:
            self.close()

    def _start(self, work: Work) -> None:
        self._in_flight += 1
        self._in_flight_bytes += work.weight
        task = self._loop.create_task(self._carry_out(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, work: Work) -> None:
        try:
            parts = await execute(self._device, work)
        except Exception as failure:
            self._ready.append(error_reply(error_value(failure), work.cookie))
        else:
            self._ready.append(OK_REPLY + work.cookie)
            self._ready += parts
        finally:
            self._in_flight -= 1
            self._in_flight_bytes -= work.weight
            if not self._woken:
                self._woken = True
                self._loop.call_soon(self._after_tasks)

    def _after_tasks(self) -> None:
        self._woken = False
        ready, self._ready = self._ready, []
        if self._lost:
            if not self._in_flight:
                self._host.peers.remove(self)
            return
        if ready:
            self._send(ready)
        if self._draining and not self._in_flight:
            self.close()
        else:
            self._go_on()
