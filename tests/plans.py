"""How a database means to carry out what it is asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event


@dataclass
class Plans:
    """Every statement that a database is given, and how it means to carry it out."""

    engine: Engine
    statements: list[tuple[str, Any]] = field(default_factory=list)

    def of(self, work: Callable[[Connection], object]) -> dict[str, str]:
        """Do some work, undo it, and return the plan of each of its statements."""
        with self.engine.connect() as connection, connection.begin() as transaction:
            event.listen(connection, "before_cursor_execute", self._note)
            work(connection)
            event.remove(connection, "before_cursor_execute", self._note)
            transaction.rollback()
        with self.engine.connect() as connection:
            return {statement: self._plan(connection, statement, sent) for statement, sent in self.statements}

    def _note(self, *noted: Any) -> None:
        self.statements.append(noted[2:4])

    def _plan(self, connection: Connection, statement: str, sent: Any) -> str:
        if connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", sent)
            return "\n".join(row.detail for row in rows)
        rows = connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) {statement}", sent)
        return "\n".join(rows.scalars())
