"""X's HTTP API: wire format, errors, signing, client."""
