"""Why a bridge can't be, in one line that says what to do."""

from __future__ import annotations

from typing import Final

from bbd.worlds.live.access import Access
from bbd.worlds.live.codes import TROUBLES, Code
from bbd.worlds.live.link import VERSION, LinkLost

_CURES: Final = {
    Code.UNAUTHORIZED: "it refuses the token: copy the file that it made at its first start anew (--token-file)",
    Code.TOO_LATE: "it had waited too long for the token: try again when this machine is less busy",
    Code.TAKEN_OVER: "this very bbd has connected again",
    Code.LIMIT: "it refuses so much at once: please report that, with the companion's log",
    Code.BAD_FRAME: "one of the two does not keep to the protocol: update bbd and the companion",
    Code.BAD_PALETTE: "its Minecraft lacks blocks of the disk's palette: it needs 1.20.1 or later",
    Code.NO_SUCH_DISK: "its world has no such disk: bbd status names those it has, bbd create --live makes one",
    Code.DAMAGED: "the disk's descriptor is damaged: stop the server, and look with bbd recover",
    Code.NOT_ALLOWED: "its operator does not allow that: look into the companion's configuration",
    Code.STOPPING: "the server stops: start it again",
}


def explain(access: Access, lost: LinkLost) -> str:
    """The reason why there is no connection, and what to do about it."""
    place = f"the companion at {access.url}"
    match lost.code:
        case None if lost.final:
            return f"{place}: {lost.why}"
        case None:
            return f"{place} can't be reached ({lost.why}): is the server running, with bbd's companion in it?"
        case Code.VERSION:
            theirs = lost.more.get("versions", "another version")
            return f"{place} speaks {theirs} of the bridge's protocol, and this bbd {VERSION}: update the older one"
        case Code.IN_USE:
            who = lost.more.get("who")
            by = f" by {who}" if isinstance(who, str) else ""
            return f"{place} has that disk in use{by}: only one bbd can serve it, stop the other one"
        case Code.APPROVAL_NEEDED | Code.EXISTS:
            return f"{place} refuses: {lost.why}"
        case code if code in TROUBLES:
            return f"{place}: {TROUBLES[code]}: {lost.why}"
        case code:
            cure = _CURES.get(code)
            return f"{place}: {lost.why}" + (f" ({cure})" if cure else "")
