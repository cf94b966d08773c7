"""Listening sockets, and what can be wrong with them, in words."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bbd.errors import BbdError

UNIX_SEND_BUFFER: Final = 512 << 10
"""Bytes that a unix socket may hold on the way to the client. Its default holds a fifth of a reply of 1 MiB, which
makes both sides sleep and wake for each piece; TCP sizes its buffers by itself."""

_KEEPALIVE: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 6}
"""Seconds of silence, seconds between probes, probes: a client whose machine is gone is given up after two minutes."""

_TCP_FAILURES: Final = {
    errno.EADDRINUSE: "something listens there already; stop it, or choose another port",
    errno.EADDRNOTAVAIL: "this machine does not have that address; listen on one of its own, such as 127.0.0.1",
    errno.EACCES: "ports below 1024 take more rights; choose another, such as 10809",
}


def tune(stream: socket.socket) -> None:
    """Set a connection's options; what a platform lacks is left as it is."""
    with contextlib.suppress(OSError):
        if stream.family == socket.AF_UNIX:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNIX_SEND_BUFFER)
            return
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE.items():
            if hasattr(socket, name):
                stream.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def tcp_failure(host: str, port: int, error: OSError) -> BbdError:
    """The one line for a TCP address that can't be listened on."""
    where = f"can't listen on {host}:{port}"
    if isinstance(error, socket.gaierror):
        return BbdError(f"{where}: no address is known for {host!r}; check the spelling, or give a number")
    reason = _TCP_FAILURES.get(error.errno or 0, error.strerror or str(error))
    return BbdError(f"{where}: {reason}")


@dataclass(frozen=True, slots=True)
class SocketFile:
    """The name that a bound unix socket has in the file system."""

    path: Path
    inode: int

    def remove(self) -> None:
        """Remove it, unless the name is another socket's by now."""
        with contextlib.suppress(OSError):
            if self.path.lstat().st_ino == self.inode:
                self.path.unlink()


def bind_unix(path: Path) -> tuple[socket.socket, SocketFile]:
    """A non-blocking unix socket bound to ``path``.

    A socket file that nobody listens on is replaced. Errors: :class:`BbdError` where something else stands there, or
    a server that is alive, or where no socket can be.
    """
    path = path.absolute()
    _clear_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)
        listener.bind(os.fspath(path))
        return listener, SocketFile(path, path.lstat().st_ino)
    except OSError as error:
        listener.close()
        raise _unix_failure(path, error) from error


def _clear_stale(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # absent, or binding says what is wrong
    if not stat.S_ISSOCK(mode):
        raise BbdError(f"can't listen on {path}: a file that is no socket stands there; choose another path")
    if is_alive(path):
        raise BbdError(f"can't listen on {path}: a server listens there already; stop it, or choose another path")
    with contextlib.suppress(OSError):
        path.unlink()


def is_alive(path: Path) -> bool:
    """Whether somebody listens on a socket that exists; one that is bound and not yet listening is not alive."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            return False
        except OSError:
            return True  # a full backlog, or no right to connect: somebody is there
    return True


def _unix_failure(path: Path, error: OSError) -> BbdError:
    where = f"can't listen on {path}"
    if error.errno == errno.ENOENT:
        return BbdError(f"{where}: the folder {path.parent} does not exist; make it first")
    if error.errno is None:
        return BbdError(f"{where}: the path is too long for a socket (about 100 bytes); choose a shorter one")
    return BbdError(f"{where}: {error.strerror}")
