"""The errors that every layer may raise and a person may read.

Two kinds leave a layer: :class:`BbdError` for what a person typed or must mend (one readable line), and
``OSError`` with an ``errno`` for what a client's request met (the NBD layer sends that errno).
"""


class BbdError(Exception):
    """Something a person must mend. ``str(error)`` is one line that says what is wrong and what to do."""


class WorldLocked(BbdError):
    """The world is open in the game, or in another bbd."""


class Refused(BbdError):
    """Refused to keep something from harm; ``--force`` goes on all the same."""
