"""How to reach a companion: its address, the token that it wants, the certificate that it must show."""

from __future__ import annotations

import ipaddress
import re
import ssl
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bbd.errors import BbdError, Refused

DEFAULT_PORT: Final = 25590
_TOKEN = re.compile(r"[0-9a-fA-F]{64}")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Access:
    """A companion's address and what opens it. The token is in no ``repr``, so that no log can have it."""

    host: str
    port: int
    secure: bool
    token: str = field(repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The address as a person types it."""
        return f"{'wss' if self.secure else 'ws'}://{self.where}"

    @property
    def where(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def make_access(url: str, token_file: Path, *, insecure: bool = False, ca: Path | None = None) -> Access:
    """What a person typed, checked. ``ca`` is a file of certificates to trust, instead of the system's.

    Raises :class:`BbdError`; :class:`Refused` where the token would cross a network in the clear.
    """
    host, port, secure = _parse_url(url)
    if not secure and not is_loopback(host) and not insecure:
        raise Refused(
            f"{url} would carry the token, and the disk, in the clear to another machine: use wss:// (the companion's "
            "operator gives it a certificate), a tunnel to its loopback, or --insecure"
        )
    if ca is not None and not secure:
        raise BbdError(f"--ca is for wss:// addresses, and {url} is none")
    return Access(host, port, secure, read_token(token_file), _tls(ca) if secure else None)


def read_token(path: Path) -> str:
    """The token in a file that nobody else may read. Raises :class:`BbdError`."""
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode
            text = file.read(4096).decode("ascii", "replace").strip()
    except OSError as error:
        raise BbdError(
            f"the token file {path} can't be read ({error.strerror}): the companion makes one at its first start, copy "
            "that one"
        ) from None
    if stat.S_ISREG(mode) and mode & _OTHERS:
        raise BbdError(f"others may read the token file {path}: chmod 600 it, and have the companion make a new token")
    if not _TOKEN.fullmatch(text):
        raise BbdError(f"{path} holds no token: that is 64 hexadecimal digits, from the file that the companion made")
    return text


def is_loopback(host: str) -> bool:
    """Whether a host's name or address can only be this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parse_url(url: str) -> tuple[str, int, bool]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _no_address(url) from None
    if parts.scheme not in {"ws", "wss"} or not host or port == 0:
        raise _no_address(url)
    if parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc:
        raise _no_address(url)
    return host, DEFAULT_PORT if port is None else port, parts.scheme == "wss"


def _no_address(url: str) -> BbdError:
    shown = re.sub(r"//[^/@]*@", "//…@", url)
    return BbdError(f"{shown!r} is no companion's address: give ws://HOST:PORT or wss://HOST:PORT")


def _tls(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise BbdError(f"--ca {ca}: no certificates can be read from there ({error.strerror or error})") from None
