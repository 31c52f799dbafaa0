"""The day in UTC on which something was, as each database can keep it in an index."""

from typing import Any

from sqlalchemy import Date
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class utc_day(GenericFunction[Any]):  # noqa: N801 - a function of SQL
    """The date of a moment."""

    type = Date()
    inherit_cache = True


@compiles(utc_day, "sqlite")
def _in_sqlite(element: utc_day, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    return f"substr({compiler.process(element.clauses, **options)}, 1, 10)"


@compiles(utc_day, "postgresql")
def _in_postgresql(element: utc_day, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    return f"CAST({compiler.process(element.clauses, **options)} AT TIME ZONE 'UTC' AS date)"
