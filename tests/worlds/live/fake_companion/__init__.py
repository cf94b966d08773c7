"""A companion for tests: a real websocket server on loopback over a world in memory, after companion-mod/PROTOCOL.md.

It runs on a thread of its own. It keeps to the protocol, and refuses a client that doesn't, except where a switch of
:class:`Manners` says otherwise.
"""

from tests.worlds.live.fake_companion.companion import FakeCompanion
from tests.worlds.live.fake_companion.state import TOKEN, Manners

__all__ = ["TOKEN", "FakeCompanion", "Manners"]
