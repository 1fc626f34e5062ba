"""How soon a new user sees something: `--help`, and the coins from a cold and a warm kernel cache.

python benchmarks/bench_start.py
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import skimage.data
from record import record, versions


def cpu_and_wall(command: list[str], **environment: str) -> tuple[float, float]:
    """Processor and wall seconds of one command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environment})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - start


def main() -> None:
    """Time each start and keep the seconds."""
    microtome = [sys.executable, "-m", "microtome.app.cli.main"]
    with tempfile.TemporaryDirectory() as scratch:
        picture = Path(scratch) / "coins.png"
        cv2.imwrite(str(picture), skimage.data.coins())
        segment = [*microtome, "segment", str(picture), "--recipe", "coins", "--overwrite", "--report", "--out", f"{scratch}/out"]
        cache = f"{scratch}/numba"
        help_cpu = min(cpu_and_wall([*microtome, "--help"])[0] for _ in range(5))
        cold = cpu_and_wall(segment, NUMBA_CACHE_DIR=cache)[1]
        warm = min(cpu_and_wall(segment, NUMBA_CACHE_DIR=cache)[1] for _ in range(3))
    print(f"microtome --help             {help_cpu:6.2f} s of processor time")
    print(f"coins, cold kernel cache     {cold:6.2f} s")
    print(f"coins, warm kernel cache     {warm:6.2f} s")
    record("start", {"help_cpu_s": help_cpu, "coins_cold_s": cold, "coins_warm_s": warm, "versions": versions()})


if __name__ == "__main__":
    main()
