"""The ways in which a survey reaches its customer, one module each."""
