"""What is asked of a disk's small files."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bbd.worlds.live.codes import Code
from tests.worlds.live.fake_companion.state import OpenDisk, Refused

if TYPE_CHECKING:
    from tests.worlds.live.fake_companion.client import Client

_NAME = re.compile(r"(.+)\.(json|columns|columns\.redo|regions)(\.new)?")


class FileRequests:
    """Those of one connection."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._world = client.companion.world

    def owns(self, disk: OpenDisk, file: str) -> bool:
        match = _NAME.fullmatch(file)
        return file.startswith("quarantine/") or (match is not None and match[1] == disk.name)

    def _file(self, values: Mapping[str, Any]) -> tuple[str, bytearray]:
        name = self._file_name(values)
        if name not in self._world.files:
            raise Refused(Code.NO_SUCH_FILE)
        return name, self._world.files[name]

    def _file_name(self, values: Mapping[str, Any]) -> str:
        disk, name = self._client.disk(values["disk"]), values["file"]
        if not self.owns(disk, name):
            raise Refused(Code.NOT_ALLOWED, f"{name} is none of this disk's files")
        return str(name)

    async def do_file_list(self, values: Mapping[str, Any]) -> dict[str, Any]:
        disk, folder = self._client.disk(values["disk"]), values["folder"]
        names: Iterable[str] = (name for name in self._world.files if self.owns(disk, name))
        if folder == "quarantine":
            return {"names": sorted(name.removeprefix("quarantine/") for name in names if "/" in name)}
        return {"names": sorted(name for name in names if "/" not in name)}

    async def do_file_stat(self, values: Mapping[str, Any]) -> dict[str, Any]:
        _, content = self._file(values)
        return {"size": len(content), "data": [[0, len(content)]] if content else []}

    async def do_file_read(self, values: Mapping[str, Any]) -> dict[str, Any]:
        _, content = self._file(values)
        piece = content[values["at"] : values["at"] + min(values["size"], 512 << 10)]
        return {"data": base64.b64encode(piece).decode()}

    async def do_file_write(self, values: Mapping[str, Any]) -> None:
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

    async def do_file_replace(self, values: Mapping[str, Any]) -> None:
        self._world.files[self._file_name(values)] = bytearray(base64.b64decode(values["data"], validate=True))

    async def do_file_remove(self, values: Mapping[str, Any]) -> None:
        if self._file_name(values).endswith(".json"):
            raise Refused(Code.NOT_ALLOWED, "a descriptor is replaced as a whole")
        self._world.files.pop(self._file_name(values), None)
