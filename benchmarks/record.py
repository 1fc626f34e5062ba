"""Where a benchmark's numbers are kept: ``benchmarks/results/NAME.json``, with the versions they hold for."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["record", "versions"]

PACKAGES = ("numpy", "scipy", "scikit-image", "opencv-python-headless", "numba", "edt", "connected-components-3d")


def versions() -> dict[str, Any]:
    """What was compared, and on how many cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"python": platform.python_version(), "cores": cores, **{package: version(package) for package in PACKAGES}}


def record(name: str, result: dict[str, Any]) -> None:
    """Keep the result."""
    path = Path(__file__).parent / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")
