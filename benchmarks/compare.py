"""Two sides of a comparison, timed in turn, so that a machine whose speed drifts is fair to both."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

__all__ = ["Case", "compare"]

Case = tuple[str, str, Callable[[], Any], Callable[[], Any]]
"""What is compared, with whom, our call and theirs."""


def compare(case: Case, rounds: int) -> dict[str, Any]:
    """The best of several rounds of each side in turn, after one that is not counted."""
    name, peer, ours, theirs = case
    best = [float("inf"), float("inf")]
    for number in range(rounds + 1):
        for side, call in enumerate((ours, theirs)):
            start = time.perf_counter()
            call()
            if number:
                best[side] = min(best[side], time.perf_counter() - start)
    return {"case": name, "peer": peer, "seconds": best[0], "peer_seconds": best[1], "ratio": best[0] / best[1]}
