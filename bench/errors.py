"""The bench's error."""


class BenchError(Exception):
    """The bench can't run here, or an app did something wrong."""
