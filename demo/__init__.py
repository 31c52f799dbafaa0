"""The demo: the app against the sandbox, with a believable past."""
