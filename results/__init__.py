"""How answers come back from X, and how they are shown: intake, reports, export."""
