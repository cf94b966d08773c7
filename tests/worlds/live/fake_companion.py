"""A companion for tests: a real websocket server on loopback over a world in memory, after companion-mod/PROTOCOL.md.

It runs on a thread of its own. It keeps to the protocol, and refuses a client that doesn't, except where a switch of
:class:`Manners` says otherwise.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import json
import re
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

import numpy as np
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response

from bbd.worlds.live.codes import CLOSE_BASE, DONE, Code, Refusal
from bbd.worlds.live.frames import (
    EXPECT,
    NONE,
    REPLACE,
    THERE,
    UNREADABLE,
    ColumnEntry,
    Columns,
    Confirmed,
    Read,
    Verdict,
    Write,
    WriteEntry,
    Written,
    parse_client,
    section_sizes,
)
from bbd.worlds.live.messages import Answer, Failure, Note, Push, Request
from bbd.worlds.live.messages import parse_client as parse_text
from tests.worlds.live.fake_world import AIR, ChunkAt, FakeWorld, UnknownBlock, state_text

T = TypeVar("T")
TOKEN = "5ec2e7" + "0" * 58
_NOT_SAID = 0xFFFF
LIMITS = {
    "text": 1 << 20,
    "binary": 8 << 20,
    "requests": 64,
    "columns": 32,
    "read_columns": 256,
    "write_bytes": 32 << 20,
}
FILE_NAME = re.compile(r"(.+)\.(json|columns|columns\.redo|regions)(\.new)?")


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, code: Code, message: str = "", **more: object) -> None:
        super().__init__(message or code.word)
        self.code = code
        self.more = more


@dataclass
class Manners:
    """How it behaves; may be changed at any time. ``delay`` is in seconds, of every answer."""

    delay: float = 0.0
    mute: bool = False
    """Hear everything, answer nothing."""
    confirm: bool = True
    confirm_error: Code | None = None
    version: int = 1
    capabilities: tuple[str, ...] = ("create", "pause")
    approve: bool = True
    protected: bool = True
    garbage: bytes | str | None = None
    """Sent in the place of the next answer."""
    backwards: bool = False
    """Answer READs that come together in the opposite order."""
    refuse: dict[str, tuple[Code, str]] = field(default_factory=dict)
    """Answer these requests in text with an error and its message."""


@dataclass
class Counts:
    """What happened."""

    hellos: int = 0
    reads: int = 0
    written: int = 0
    conflicts: int = 0
    notes: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(eq=False)
class _OpenDisk:
    name: str
    handle: int
    client: _Client
    palette: list[int]
    agreed: int
    applied: dict[ChunkAt, int] = field(default_factory=dict)
    unconfirmed: dict[ChunkAt, tuple[int, int]] = field(default_factory=dict)
    table: np.ndarray[Any, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.table = np.full(1 << 16, _NOT_SAID, np.uint16)
        self.table[self.palette] = np.arange(len(self.palette))

    def index(self, numbers: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], list[int]]:
        """Indices of states, and the states that had to be appended."""
        found, fresh = self.table[numbers], []
        if int(found.max()) == _NOT_SAID:
            fresh = np.unique(numbers[found == _NOT_SAID]).tolist()
            self.table[fresh] = np.arange(len(self.palette), len(self.palette) + len(fresh))
            self.palette += fresh
            found = self.table[numbers]
        return found, fresh


class FakeCompanion:
    """Listens on 127.0.0.1 from :meth:`start` on. ``world`` survives :meth:`kill`, as far as it was saved."""

    def __init__(self, world: FakeWorld, port: int = 0) -> None:
        self.world = world
        self.port = port
        self.manners = Manners()
        self.tls: ssl.SSLContext | None = None
        self.counts = Counts()
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._server: Server | None = None
        self._clients: set[_Client] = set()
        self.open_disks: dict[str, _OpenDisk] = {}
        self.left: dict[str, set[ChunkAt]] = {}
        """What clients that went had written, and is in memory only."""
        self.dying = False

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def saves(self) -> bool:
        """Whether what is in memory gets into the files."""
        return self.manners.confirm and self.manners.confirm_error is None

    def __enter__(self) -> FakeCompanion:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        if self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
        self.dying = False
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._listen())

    def kill(self) -> None:
        """As ``kill -9``: connections are reset, what was not saved is gone."""
        if self._loop.is_closed():
            return
        self._run(self._die())
        self._loop.call_soon_threadsafe(self._loop.stop)
        assert self._thread is not None
        self._thread.join(10)
        self._loop.close()
        self.open_disks.clear()
        self.left.clear()
        self.world.crash()

    def cut(self) -> None:
        """Reset every connection; the server goes on."""
        self._run(self._cut())

    def edit(self, x: int, y: int, z: int, block: Mapping[str, Any], *, seen: bool = True, who: str = "Steve") -> None:
        """Somebody changes a block; unless ``seen``, no event tells of it."""
        self._run(self._edit(x, y, z, block, seen=seen, who=who))

    def push(self, push: Push) -> None:
        self._run(self._push_all(push))

    def _run(self, work: Awaitable[T]) -> T:
        async def wrapped() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(wrapped(), self._loop).result(30)

    async def _listen(self) -> None:
        self._server = await serve(
            self._handle,
            "127.0.0.1",
            self.port,
            compression=None,
            max_size=LIMITS["binary"],
            process_request=_check_handshake,
            ping_interval=None,
            ssl=self.tls,
            close_timeout=1,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def _die(self) -> None:
        self.dying = True
        if self._server is not None:
            self._server.server.close()
        await self._cut()
        for task in asyncio.all_tasks():
            if task is not asyncio.current_task():
                task.cancel()
        await asyncio.sleep(0)

    async def _cut(self) -> None:
        for client in list(self._clients):
            client.socket.transport.abort()
        await asyncio.sleep(0.01)

    async def _edit(self, x: int, y: int, z: int, block: Mapping[str, Any], *, seen: bool, who: str) -> None:
        was = self.world.set_block(x, y, z, block)
        if not seen:
            return
        for disk in self.open_disks.values():
            edit = {
                "x": x,
                "y": y,
                "z": z,
                "was": state_text(was),
                "now": state_text(block),
                "cause": "block_place",
                "who": who,
            }
            columns = [{"x": x >> 4, "z": z >> 4, "mask": 1 << (y >> 4), "count": 1}]
            values = {"disk": disk.handle, "columns": columns, "edits": [edit]}
            await disk.client.send(Push("changed", values).dump())

    async def _push_all(self, push: Push) -> None:
        for client in self._clients:
            await client.send(push.dump())

    async def _handle(self, socket: ServerConnection) -> None:
        client = _Client(self, socket)
        self._clients.add(client)
        try:
            await client.run()
        finally:
            self._clients.discard(client)
            client.gone()


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  # switches are thrown on other threads
        await asyncio.sleep(0.005)


def _check_handshake(connection: ServerConnection, request: HttpRequest) -> Response | None:
    host = request.headers.get("Host", "").rsplit(":", 1)[0]
    if "Origin" in request.headers or request.path != "/" or host not in {"127.0.0.1", "localhost", "[::1]"}:
        return connection.respond(HTTPStatus.FORBIDDEN, "no\n")
    return None


class _Client:
    def __init__(self, companion: FakeCompanion, socket: ServerConnection) -> None:
        self.socket = socket
        self._companion = companion
        self._world = companion.world
        self.instance = ""
        self._disks: dict[int, _OpenDisk] = {}
        self._handles = 0
        self._unanswered: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        try:
            await self._hello()
            while True:
                await self._receive(await self.socket.recv())
        except ConnectionClosed:
            pass
        except Refusal as refusal:
            await self._close(refusal.code, str(refusal))
        except Refused as refused:
            await self._close(refused.code, str(refused))

    def gone(self) -> None:
        for task in self._tasks:
            task.cancel()
        for disk in self._disks.values():
            if self._companion.open_disks.get(disk.name) is disk:
                del self._companion.open_disks[disk.name]
                self._companion.left.setdefault(disk.name, set()).update(disk.unconfirmed)
                if not self._companion.dying and self._companion.saves:
                    self._save_left(disk.name)

    def _save_left(self, name: str) -> None:
        for at in self._companion.left.pop(name, ()):
            self._world.save(at)

    async def send(self, frame: str | bytes) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self.socket.send(frame)

    async def _close(self, code: Code, message: str) -> None:
        await self.send(Failure(None, code.word, message).dump())
        with contextlib.suppress(ConnectionClosed):
            await self.socket.close(CLOSE_BASE + code, message[:100])

    async def _hello(self) -> None:
        try:
            async with asyncio.timeout(5):
                first = await self.socket.recv()
        except TimeoutError:
            raise Refused(Code.TOO_LATE) from None
        if not isinstance(first, str) or len(first) > 4096:
            raise Refusal("no hello")
        request = parse_text(first)
        if not isinstance(request, Request) or request.do != "hello":
            raise Refusal("no hello")
        values, manners = request.values, self._companion.manners
        if not hmac.compare_digest(values["token"].encode(), TOKEN.encode()):
            await self.send(Failure(request.id, "unauthorized", "the token is wrong").dump())
            raise Refused(Code.UNAUTHORIZED, "the token is wrong")
        if manners.version not in values["versions"]:
            more = {"versions": [manners.version]}
            await self.send(Failure(request.id, "version", "no common version", more).dump())
            raise Refused(Code.VERSION, "no common version")
        self.instance = values["instance"]
        self._companion.counts.hellos += 1
        said = {
            "version": manners.version,
            "companion": "fake 1",
            "capabilities": list(manners.capabilities),
            "server": {"name": "Fake", "version": "1", "minecraft": "26.1.2", "protocol": 775},
            "limits": LIMITS,
        }
        await self.send(Answer(request.id, said).dump())

    async def _receive(self, data: str | bytes) -> None:
        if isinstance(data, str):
            try:
                message = parse_text(data)
            except Refusal as refusal:
                if refusal.code != Code.BAD_REQUEST:
                    raise
                await self.send(Failure(json.loads(data)["id"], "bad_request", str(refusal)).dump())
                return
            if isinstance(message, Note):
                self._companion.counts.notes.append(message.values)
                return
            self._begin(message.id, self._answer_text(message))
        else:
            frame = parse_client(data, LIMITS["columns"])
            # Applied in the order in which they come.
            work = self._apply(frame) if isinstance(frame, Write) else self._look(frame)
            self._begin(frame.id, work)

    def _begin(self, number: int, work: Callable[[], Awaitable[str | bytes]]) -> None:
        if number in self._unanswered:
            raise Refusal(f"id {number} is in use")
        self._unanswered.add(number)
        if len(self._unanswered) > LIMITS["requests"]:
            raise Refusal("too many requests", Code.LIMIT)
        task = asyncio.create_task(self._answer(number, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, number: int, work: Callable[[], Awaitable[str | bytes]]) -> None:
        manners = self._companion.manners
        try:
            reply = await work()
        except Refused as refused:
            reply = Failure(number, refused.code.word, str(refused), refused.more).dump()
        except (KeyError, TypeError, ValueError) as error:
            reply = Failure(number, "bad_request", repr(error)).dump()
        if manners.delay:
            await asyncio.sleep(manners.delay)
        await _until(lambda: not manners.mute)
        if manners.garbage is not None:
            reply, manners.garbage = manners.garbage, None
        self._unanswered.discard(number)
        await self.send(reply)

    # -- sections ----------------------------------------------------------------------------------------------------

    def _disk(self, handle: object) -> _OpenDisk:
        if not isinstance(handle, int):
            raise TypeError("a handle is a number")
        disk = self._disks.get(handle)
        if disk is None or self._companion.open_disks.get(disk.name) is not disk:
            raise Refused(Code.NOT_OPEN)
        return disk

    def _look(self, frame: Read) -> Callable[[], Awaitable[str | bytes]]:
        async def look() -> str | bytes:
            disk = self._disk(frame.disk)
            self._companion.counts.reads += len(frame.entries)
            if self._companion.manners.backwards:
                await asyncio.sleep(0.02 / (1 + frame.id % 7))
            entries = [self._column(disk, (one.x, one.z), one.mask) for one in frame.entries]
            fresh = [state for _, states in entries for state in states]
            if fresh:
                # They were appended in this order, with nothing between.
                first = len(disk.palette) - len(fresh)
                blocks = [self._world.said(state) for state in fresh]
                await self.send(Push("blocks", {"disk": disk.handle, "first": first, "blocks": blocks}).dump())
            return Columns(frame.id, frame.disk, [entry for entry, _ in entries]).pack()

        return look

    def _column(self, disk: _OpenDisk, at: ChunkAt, wanted: int) -> tuple[ColumnEntry, list[int]]:
        if at in self._world.unreadable:
            return ColumnEntry(*at, UNREADABLE, body=b"its compression is broken"), []
        if at not in self._world.chunks:
            return ColumnEntry(*at, NONE), []
        mask = wide = 0
        pieces, fresh = [], []
        for index, blocks in sorted(self._world.chunks[at].items()):
            if not wanted >> index & 1 or not blocks.any():
                continue
            indices, appended = disk.index(blocks)
            fresh += appended
            mask |= 1 << index
            if indices.max() > 255:
                wide |= 1 << index
                pieces.append(indices.astype("<u2").tobytes())
            else:
                pieces.append(indices.astype(np.uint8).tobytes())
        stamp, generation = self._world.stamp(at), disk.applied.get(at, 0)
        return ColumnEntry(*at, THERE, mask, wide, stamp, generation, b"".join(pieces)), fresh

    def _apply(self, frame: Write) -> Callable[[], Awaitable[str | bytes]]:
        """Written now, answered later."""
        try:
            disk = self._disk(frame.disk)
        except Refused as refused:
            failure = Failure(frame.id, refused.code.word, str(refused)).dump()

            async def refuse() -> str | bytes:
                return failure

            return refuse
        verdicts = [self._write(disk, entry) for entry in frame.entries]
        reply = Written(frame.id, frame.disk, verdicts).pack()

        async def answer() -> str | bytes:
            asyncio.get_running_loop().call_later(0.002, self._confirm_soon, disk)
            return reply

        return answer

    def _write(self, disk: _OpenDisk, entry: WriteEntry) -> Verdict:
        at = entry.x, entry.z
        if entry.generation < disk.applied.get(at, 0):
            raise Refusal("a generation that falls")
        if at in self._world.unreadable:
            if not entry.flags & REPLACE:
                return Verdict(*at, Code.UNREADABLE, 0, entry.generation)
            del self._world.unreadable[at]
        if entry.flags & EXPECT and self._world.stamp(at) != entry.expected:
            self._companion.counts.conflicts += 1
            return Verdict(*at, Code.CONFLICT, self._world.stamp(at), entry.generation)
        fresh: dict[int, Any] = {index: None for index in range(20) if entry.air >> index & 1}
        position = 0
        for index, size in section_sizes(entry.mask, entry.wide):
            piece = memoryview(entry.body)[position : position + size]
            position += size
            indices = np.frombuffer(piece, "<u2" if size > 4096 else np.uint8)
            if int(indices.max()) >= disk.agreed:
                raise Refusal("an index beyond the agreed palette")
            fresh[index] = np.array(disk.palette, np.uint16)[indices]
        self._world.put(at, fresh)
        self._companion.counts.written += 1
        disk.applied[at] = entry.generation
        disk.unconfirmed[at] = entry.generation, self._world.stamp(at)
        return Verdict(*at, DONE, self._world.stamp(at), entry.generation)

    def _confirm_soon(self, disk: _OpenDisk) -> None:
        task = asyncio.create_task(self.confirm(disk))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def confirm(self, disk: _OpenDisk) -> None:
        manners = self._companion.manners
        await _until(lambda: manners.confirm and not manners.mute)
        if not disk.unconfirmed:
            return
        if manners.confirm_error is not None:
            code = int(manners.confirm_error)
            entries = [Verdict(*at, code, 0, generation) for at, (generation, _) in disk.unconfirmed.items()]
            await self.send(Confirmed(disk.handle, entries).pack())
            await asyncio.sleep(0.05)
            self._confirm_soon(disk)
            return
        taken, disk.unconfirmed = disk.unconfirmed, {}
        for at in taken:
            self._world.save(at)
        entries = [Verdict(*at, DONE, stamp, generation) for at, (generation, stamp) in taken.items()]
        await self.send(Confirmed(disk.handle, entries).pack())

    # -- text --------------------------------------------------------------------------------------------------------

    def _answer_text(self, request: Request) -> Callable[[], Awaitable[str | bytes]]:
        method = getattr(self, f"_do_{request.do}", None)

        async def answer() -> str | bytes:
            if method is None:
                raise Refused(Code.UNKNOWN_REQUEST)
            if request.do in self._companion.manners.refuse:
                raise Refused(*self._companion.manners.refuse[request.do])
            return Answer(request.id, await method(request.values) or {}).dump()

        return answer

    async def _do_disks(self, _values: Mapping[str, Any]) -> dict[str, Any]:
        found = []
        for name in sorted(self._world.files):
            if name.endswith(".json"):
                document = json.loads(self._world.files[name])
                disk = name[: -len(".json")]
                entry = {"name": disk, "open": disk in self._companion.open_disks}
                entry |= {"protected": self._companion.manners.protected, "size": document["size"]}
                found.append({**entry, "dimension": document["dimension"]})
        return {"disks": found}

    async def _do_open(self, values: Mapping[str, Any]) -> dict[str, Any]:
        name = values["disk"]
        if not isinstance(values["palette"], list):
            raise TypeError("a palette is a list")
        if f"{name}.json" not in self._world.files:
            raise Refused(Code.NO_SUCH_DISK, f"there is no disk {name}")
        before = self._companion.open_disks.get(name)
        if before is not None:
            if before.client is self or before.client.instance != self.instance:
                raise Refused(Code.IN_USE, "it is in use", who=f"bbd {before.client.instance[:8]}")
            await before.client._close(Code.TAKEN_OVER, "taken over")
            before.client.gone()
        try:
            palette = [self._world.state(said) for said in values["palette"]]
        except UnknownBlock as block:
            raise Refused(Code.BAD_PALETTE, f"no such block: {block}") from None
        if len(set(palette)) < len(palette) or palette[-1] != AIR:
            raise Refused(Code.BAD_PALETTE, "a palette that has a state twice, or no air at its end")
        self._handles += 1
        disk = _OpenDisk(name, self._handles, self, palette, len(palette))
        self._disks[disk.handle] = self._companion.open_disks[name] = disk
        dimension = json.loads(self._world.files[f"{name}.json"])["dimension"]
        files = {file: len(content) for file, content in self._world.files.items() if self._owns(disk, file)}
        said = {"disk": disk.handle, "dimension": dimension, "data_version": 4790, "files": files}
        return {**said, "protected": self._companion.manners.protected, "paused": False}

    async def _do_close(self, values: Mapping[str, Any]) -> None:
        disk = self._disk(values["disk"])
        await _until(lambda: not disk.unconfirmed)
        del self._companion.open_disks[disk.name]

    async def _do_bye(self, _values: Mapping[str, Any]) -> None:
        for disk in self._disks.values():
            if self._companion.open_disks.get(disk.name) is disk:
                await self._do_close({"disk": disk.handle})

    async def _do_create(self, values: Mapping[str, Any]) -> None:
        name = values["disk"]
        if "create" not in self._companion.manners.capabilities:
            raise Refused(Code.NOT_ALLOWED, "disks are not made through the bridge")
        if f"{name}.json" in self._world.files:
            raise Refused(Code.EXISTS, f"there is a disk {name} already")
        if not self._companion.manners.approve:
            raise Refused(Code.APPROVAL_NEEDED, f"approve it first: /bbd approve {name}")
        for file, data in values["files"].items():
            self._world.files[file] = bytearray(base64.b64decode(data))

    async def _do_sync(self, values: Mapping[str, Any]) -> None:
        disk, manners = self._disk(values["disk"]), self._companion.manners
        await _until(lambda: not disk.unconfirmed)
        if self._companion.left.get(disk.name):
            if manners.confirm_error is not None:
                raise Refused(manners.confirm_error, "what was written can't be made safe for now")
            await _until(lambda: self._companion.saves)
            self._save_left(disk.name)

    async def _do_regions(self, values: Mapping[str, Any]) -> dict[str, Any]:
        self._disk(values["disk"])
        return {"regions": [list(at) for at in self._world.regions()]}

    async def _do_presence(self, values: Mapping[str, Any]) -> dict[str, Any]:
        self._disk(values["disk"])
        regions = [(int(x), int(z)) for x, z in values["regions"]]
        if len(regions) > 64:
            raise Refused(Code.BAD_REQUEST)
        presence = [base64.b64encode(self._world.presence(at)).decode() for at in regions]
        return {"presence": presence, "fingerprints": [self._world.fingerprint(at) for at in regions]}

    async def _do_raw(self, values: Mapping[str, Any]) -> dict[str, Any]:
        self._disk(values["disk"])
        raw = self._world.unreadable[values["x"], values["z"]]
        piece = raw[values["at"] : values["at"] + min(values["size"], 512 << 10)]
        return {"data": base64.b64encode(piece).decode(), "size": len(raw)}

    async def _do_stats(self, _values: Mapping[str, Any]) -> dict[str, Any]:
        tick = {"mean_ms": 3.1, "p95_ms": 11.8, "per_second": 20.0, "budget_ms": 22.5}
        disks = [{"name": name, "written_per_second": 0, "read_per_second": 0} for name in self._companion.open_disks]
        return {"tick": tick, "players": 1, "uptime": 84.2, "disks": disks}

    # -- files -------------------------------------------------------------------------------------------------------

    def _owns(self, disk: _OpenDisk, file: str) -> bool:
        match = FILE_NAME.fullmatch(file)
        return file.startswith("quarantine/") or (match is not None and match[1] == disk.name)

    def _file(self, values: Mapping[str, Any]) -> tuple[str, bytearray]:
        name = self._file_name(values)
        if name not in self._world.files:
            raise Refused(Code.NO_SUCH_FILE)
        return name, self._world.files[name]

    def _file_name(self, values: Mapping[str, Any]) -> str:
        disk, name = self._disk(values["disk"]), values["file"]
        if not self._owns(disk, name):
            raise Refused(Code.NOT_ALLOWED, f"{name} is none of this disk's files")
        return str(name)

    async def _do_file_list(self, values: Mapping[str, Any]) -> dict[str, Any]:
        disk, folder = self._disk(values["disk"]), values["folder"]
        names: Iterable[str] = (name for name in self._world.files if self._owns(disk, name))
        if folder == "quarantine":
            return {"names": sorted(name.removeprefix("quarantine/") for name in names if "/" in name)}
        return {"names": sorted(name for name in names if "/" not in name)}

    async def _do_file_stat(self, values: Mapping[str, Any]) -> dict[str, Any]:
        _, content = self._file(values)
        return {"size": len(content), "data": [[0, len(content)]] if content else []}

    async def _do_file_read(self, values: Mapping[str, Any]) -> dict[str, Any]:
        _, content = self._file(values)
        piece = content[values["at"] : values["at"] + min(values["size"], 512 << 10)]
        return {"data": base64.b64encode(piece).decode()}

    async def _do_file_write(self, values: Mapping[str, Any]) -> None:
        name = self._file_name(values)
        if name.endswith(".json") and (values["writes"] or "size" in values):
            raise Refused(Code.NOT_ALLOWED, "a descriptor is replaced as a whole")
        if values.get("create"):
            self._world.files.setdefault(name, bytearray())
        _, content = self._file(values)
        for write in values["writes"]:
            data = base64.b64decode(write["data"], validate=True)
            content.extend(bytes(max(0, write["at"] + len(data) - len(content))))
            content[write["at"] : write["at"] + len(data)] = data
        if "size" in values:
            del content[values["size"] :]
            content.extend(bytes(values["size"] - len(content)))

    async def _do_file_replace(self, values: Mapping[str, Any]) -> None:
        self._world.files[self._file_name(values)] = bytearray(base64.b64decode(values["data"], validate=True))

    async def _do_file_remove(self, values: Mapping[str, Any]) -> None:
        if self._file_name(values).endswith(".json"):
            raise Refused(Code.NOT_ALLOWED, "a descriptor is replaced as a whole")
        self._world.files.pop(self._file_name(values), None)
