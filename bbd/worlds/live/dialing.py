"""Making a connection to a companion, or saying why there is none."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Final

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus

from bbd import __version__
from bbd.worlds.live.access import Access
from bbd.worlds.live.frames import Confirmed
from bbd.worlds.live.incoming import MAX_MESSAGE, BoundedConnection
from bbd.worlds.live.link import CLOSE_SECONDS, Link, LinkLost
from bbd.worlds.live.messages import Push

HELLO_SECONDS: Final = 10.0
PING_SECONDS: Final = 5.0
_QUIET: Final = logging.getLogger("bbd.live.websocket")
_QUIET.setLevel(logging.WARNING)  # the library logs frames at lower levels, and the first of them has the token


async def open_link(access: Access, instance: str, pushed: Callable[[Push | Confirmed], None]) -> Link:
    """Connect and say hello. Raises :class:`LinkLost`."""
    try:
        socket = await connect(
            f"{access.url}/",
            create_connection=BoundedConnection,
            compression=None,
            proxy=None,
            user_agent_header=f"bbd/{__version__}",
            open_timeout=HELLO_SECONDS,
            close_timeout=CLOSE_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=2 * PING_SECONDS,
            max_size=MAX_MESSAGE,
            write_limit=1 << 20,
            logger=_QUIET,
            ssl=access.tls,
            # Said although the URL says so too: a redirect to another place is then an error.
            host=access.host,
            port=access.port,
        )
    except InvalidStatus as error:
        status = error.response.status_code
        raise LinkLost(
            f"something else answers there (HTTP status {status}), or a companion that does not go by this name",
            final=True,
        ) from None
    except ssl.SSLCertVerificationError as error:
        raise LinkLost(
            f"its certificate is not to be trusted ({error.verify_message}): copy it from the server, and name it with "
            "--ca",
            final=True,
        ) from None
    except InvalidMessage:
        raise LinkLost("what answers there speaks no HTTP: is it ws:// or wss://?", final=True) from None
    except (OSError, InvalidHandshake, ValueError, EOFError) as error:
        raise LinkLost(_words(error)) from None
    link = Link(socket, pushed)
    link.start()
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            await link.say_hello(access.token, instance)
    except BaseException as error:
        await link.close()
        if isinstance(error, TimeoutError):
            raise LinkLost("it does not answer to hello") from None
        raise
    return link


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
