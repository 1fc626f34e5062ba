"""``microtome train --find-rate``: a range test in place of a training, its table and its curve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from microtome.learn.training.rate_finder import RangeTest

__all__ = ["show_rate"]

_ROWS = 15


def show_rate(found: RangeTest, out: Path, *, as_json: bool = False) -> None:
    """Print the table and the suggestion, and write ``OUT/rate.svg``."""
    from microtome.app.report.rate import write_rate_curve

    curve = write_rate_curve(out / "rate.svg", found)
    setting = f"optimiser.{found.optimiser}.rate={found.rate:.2g}"
    if as_json:
        told = {"rate": found.rate, "steepest": found.steepest, "lowest": found.lowest, "set": setting, "curve": str(curve),
                "rates": found.rates, "losses": found.losses, "smoothed": found.smoothed}  # fmt: skip
        print(json.dumps(told, allow_nan=False))
        return
    print(f"{'rate':>9}  {'loss':>9}  smoothed")
    last = len(found.rates) - 1
    for k in sorted({round(row * last / (_ROWS - 1)) for row in range(_ROWS)}):
        print(f"{found.rates[k]:>9.2g}  {found.losses[k]:>9.4g}  {found.smoothed[k]:.4g}")
    end = "the loss was four times its least, or not finite" if found.rates[-1] < found.high * 0.999 else "the greatest rate was reached"
    print(f"the test ended at {found.rates[-1]:.2g}: {end}")
    print(f"the loss falls fastest at {found.steepest:.2g} and is least at {found.lowest:.2g}")
    print(f"suggested, the smaller of the first and a tenth of the second: --set {setting}")
    print(f"Curve: {curve}")
