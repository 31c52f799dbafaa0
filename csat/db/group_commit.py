"""Transactions that wait for SQLite's one writer share a commit: what takes longest is the disk."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


@dataclass(eq=False)
class Turn(Generic[T]):
    """A transaction that waits; nobody who asked for it is answered before it is committed."""

    transaction: Callable[[Connection], T]
    waits: bool = True
    committed: list[T] = field(default_factory=list)
    """What it returned, once that is on disk."""
    refused: Exception | None = None
    """Why the database did not even begin."""


class Turns:
    """Gives each transaction its turn, in the writer's thread; the first one takes along all that wait.

    Args:
        transact: runs a function over a connection and commits.
    """

    def __init__(self, transact: Callable[[Callable[[Connection], Any]], Any]) -> None:
        self._transact = transact
        self._waiting: deque[Turn[Any]] = deque()

    def wait(self, turn: Turn[Any]) -> None:
        """Let a transaction wait until somebody's turn comes; called from any thread."""
        self._waiting.append(turn)

    def take(self, mine: Turn[T]) -> T:
        """Return what a transaction returned, if it was taken along; else run it, whatever it raises."""
        if mine.waits:
            self._take_along([self._waiting.popleft() for _ in range(len(self._waiting))])
        if mine.refused:
            raise mine.refused
        return mine.committed[0] if mine.committed else self._transact(mine.transaction)

    def _take_along(self, all_turns: list[Turn[Any]]) -> None:
        """Commit what waits together; where one transaction fails, nothing is kept, and each runs alone.

        Where the database is locked, it is so for all of them: none waits for it once more.
        """
        turns = [turn for turn in all_turns if turn.waits]
        for turn in turns:
            turn.waits = False
        if len(turns) == 1:
            return
        begun = False

        def together(connection: Connection) -> list[Any]:
            nonlocal begun
            begun = True
            return [turn.transaction(connection) for turn in turns]

        try:
            results = self._transact(together)
        except Exception as error:  # noqa: BLE001 - raised again for whom it concerns, when that turn runs alone
            for turn in turns:
                turn.refused = None if begun else error
            return
        for turn, result in zip(turns, results, strict=True):
            turn.committed.append(result)
