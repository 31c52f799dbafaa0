"""Everything that knows X's HTTP API."""
