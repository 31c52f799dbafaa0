"""The log as JSON, for programs that collect logs."""

import json
import logging
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """Formats each record as a JSON object on a line of its own; the time is ISO 8601 in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; it has a traceback only if the record has an exception."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)
