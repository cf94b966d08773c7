"""Compile what is not on the disk yet, in a process of its own that is in nobody's way and does not stay for ever."""

from __future__ import annotations

import os
import signal

# Nobody may be there any more to end it. Who began it may have wanted no alarms, which is inherited.
signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
signal.alarm(300)
os.nice(10)

from bbd.worlds.anvil.compiled.cache import remove_unused  # noqa: E402
from bbd.worlds.anvil.compiled.reader import warm_up  # noqa: E402

warm_up()
remove_unused()
