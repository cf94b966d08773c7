"""What is asked in text of the companion and of a disk, but for the disk's files."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from bbd.worlds.live.codes import Code
from bbd.worlds.live.messages import Answer, Request
from tests.worlds.live.fake_companion.files import FileRequests
from tests.worlds.live.fake_companion.state import OpenDisk, Refused, until
from tests.worlds.live.fake_world import AIR, UnknownBlock

if TYPE_CHECKING:
    from tests.worlds.live.fake_companion.client import Client


class Requests:
    """Those of one connection; ``do_disks`` answers the request ``disks``."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._companion = client.companion
        self._world = client.companion.world
        self._files = FileRequests(client)
        self._handles = 0

    def answer(self, request: Request) -> Callable[[], Awaitable[str | bytes]]:
        of = self._files if request.do.startswith("file_") else self
        method = getattr(of, f"do_{request.do}", None)

        async def answer() -> str | bytes:
            if method is None:
                raise Refused(Code.UNKNOWN_REQUEST)
            if request.do in self._companion.manners.refuse:
                raise Refused(*self._companion.manners.refuse[request.do])
            return Answer(request.id, await method(request.values) or {}).dump()

        return answer

    async def do_disks(self, _values: Mapping[str, Any]) -> dict[str, Any]:
        found = []
        for name in sorted(self._world.files):
            if name.endswith(".json"):
                document = json.loads(self._world.files[name])
                disk = name[: -len(".json")]
                entry = {"name": disk, "open": disk in self._companion.open_disks}
                entry |= {"protected": self._companion.manners.protected, "size": document["size"]}
                found.append({**entry, "dimension": document["dimension"]})
        return {"disks": found}

    async def do_open(self, values: Mapping[str, Any]) -> dict[str, Any]:
        name = values["disk"]
        if not isinstance(values["palette"], list):
            raise TypeError("a palette is a list")
        if f"{name}.json" not in self._world.files:
            raise Refused(Code.NO_SUCH_DISK, f"there is no disk {name}")
        before = self._companion.open_disks.get(name)
        if before is not None:
            if before.client is self._client or before.client.instance != self._client.instance:
                raise Refused(Code.IN_USE, "it is in use", who=f"bbd {before.client.instance[:8]}")
            await before.client.close(Code.TAKEN_OVER, "taken over")
            before.client.gone()
        try:
            palette = [self._world.state(said) for said in values["palette"]]
        except UnknownBlock as block:
            raise Refused(Code.BAD_PALETTE, f"no such block: {block}") from None
        if len(set(palette)) < len(palette) or palette[-1] != AIR:
            raise Refused(Code.BAD_PALETTE, "a palette that has a state twice, or no air at its end")
        self._handles += 1
        disk = OpenDisk(name, self._handles, self._client, palette, len(palette))
        self._client.disks[disk.handle] = self._companion.open_disks[name] = disk
        dimension = json.loads(self._world.files[f"{name}.json"])["dimension"]
        files = {file: len(content) for file, content in self._world.files.items() if self._files.owns(disk, file)}
        said = {"disk": disk.handle, "dimension": dimension, "data_version": 4790, "files": files}
        return {**said, "protected": self._companion.manners.protected, "paused": False}

    async def do_close(self, values: Mapping[str, Any]) -> None:
        disk = self._client.disk(values["disk"])
        await until(lambda: not disk.unconfirmed)
        del self._companion.open_disks[disk.name]

    async def do_bye(self, _values: Mapping[str, Any]) -> None:
        for disk in self._client.disks.values():
            if self._companion.open_disks.get(disk.name) is disk:
                await self.do_close({"disk": disk.handle})

    async def do_create(self, values: Mapping[str, Any]) -> None:
        name = values["disk"]
        if "create" not in self._companion.manners.capabilities:
            raise Refused(Code.NOT_ALLOWED, "disks are not made through the bridge")
        if f"{name}.json" in self._world.files:
            raise Refused(Code.EXISTS, f"there is a disk {name} already")
        if not self._companion.manners.approve:
            raise Refused(Code.APPROVAL_NEEDED, f"approve it first: /bbd approve {name}")
        for file, data in values["files"].items():
            self._world.files[file] = bytearray(base64.b64decode(data))

    async def do_sync(self, values: Mapping[str, Any]) -> None:
        disk, manners = self._client.disk(values["disk"]), self._companion.manners
        await until(lambda: not disk.unconfirmed)
        if self._companion.left.get(disk.name):
            if manners.confirm_error is not None:
                raise Refused(manners.confirm_error, "what was written can't be made safe for now")
            await until(lambda: self._companion.saves)
            self._companion.save_left(disk.name)

    async def do_regions(self, values: Mapping[str, Any]) -> dict[str, Any]:
        self._client.disk(values["disk"])
        return {"regions": [list(at) for at in self._world.regions()]}

    async def do_presence(self, values: Mapping[str, Any]) -> dict[str, Any]:
        self._client.disk(values["disk"])
        regions = [(int(x), int(z)) for x, z in values["regions"]]
        if len(regions) > 64:
            raise Refused(Code.BAD_REQUEST)
        presence = [base64.b64encode(self._world.presence(at)).decode() for at in regions]
        return {"presence": presence, "fingerprints": [self._world.fingerprint(at) for at in regions]}

    async def do_raw(self, values: Mapping[str, Any]) -> dict[str, Any]:
        self._client.disk(values["disk"])
        raw = self._world.unreadable[values["x"], values["z"]]
        piece = raw[values["at"] : values["at"] + min(values["size"], 512 << 10)]
        return {"data": base64.b64encode(piece).decode(), "size": len(raw)}

    async def do_stats(self, _values: Mapping[str, Any]) -> dict[str, Any]:
        tick = {"mean_ms": 3.1, "p95_ms": 11.8, "per_second": 20.0, "budget_ms": 22.5}
        disks = [{"name": name, "written_per_second": 0, "read_per_second": 0} for name in self._companion.open_disks]
        return {"tick": tick, "players": 1, "uptime": 84.2, "disks": disks}
