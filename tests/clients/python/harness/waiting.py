"""Waiting for what comes about by itself."""

import time

from .process import PATIENCE

PAUSE = 0.05


def until(holds):
    """Asks again and again until `holds()` is true, and fails when it never is."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not so within {PATIENCE} s"
        time.sleep(PAUSE)
