"""How much may be on its way: a count with a limit, handed out in the order in which it is asked for."""

from __future__ import annotations

import asyncio
from collections import deque


class Budget:
    """``limit`` units. What is more than the limit by itself goes alone. All methods run on one event loop."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, units: int) -> int:
        """Wait for so many units; return how many to give back."""
        units = min(units, self._limit)
        if self._waiting or self._taken + units > self._limit:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append((units, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self.give(units)
                raise
        else:
            self._taken += units
        return units

    def give(self, units: int) -> None:
        """Hand back, and let the next ones go."""
        self._taken -= units
        while self._waiting:
            wanted, turn = self._waiting[0]
            if turn.cancelled():
                self._waiting.popleft()
            elif self._taken + wanted <= self._limit:
                self._taken += wanted
                self._waiting.popleft()
                turn.set_result(None)
            else:
                return
