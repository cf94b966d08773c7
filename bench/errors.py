"""What ends a benchmark early."""


class BenchError(Exception):
    """One readable line: what is missing or went wrong."""
