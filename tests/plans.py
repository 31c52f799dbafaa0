"""Query plans of the app's statements."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event


@dataclass
class Plans:
    """Records statements and explains them."""

    engine: Engine
    statements: list[tuple[str, Any]] = field(default_factory=list)

    def explain(self, transaction: Callable[[Connection], object]) -> dict[str, str]:
        """Run a transaction, roll it back, and return the plan of each statement."""
        with self.engine.connect() as connection, connection.begin() as changes:
            event.listen(connection, "before_cursor_execute", self._record)
            transaction(connection)
            event.remove(connection, "before_cursor_execute", self._record)
            changes.rollback()
        with self.engine.connect() as connection:
            return {
                statement: self._plan(connection, statement, parameters)
                for statement, parameters in self.statements
            }

    def _record(self, *args: Any) -> None:
        self.statements.append(args[2:4])

    def _plan(self, connection: Connection, statement: str, parameters: Any) -> str:
        if connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return "\n".join(row.detail for row in rows)
        rows = connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) {statement}", parameters)
        return "\n".join(rows.scalars())
