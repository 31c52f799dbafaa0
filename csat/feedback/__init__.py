"""How answers come back: intake, poller and event sweep."""
