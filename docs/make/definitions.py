"""Tables of what can be measured and scored, with the definition that stands in the code."""

from __future__ import annotations

from microtome.measure.metrics.definitions import METRICS
from microtome.measure.regions import COLUMNS, DEFAULT

__all__ = ["measurements", "metrics"]


def measurements() -> str:
    """Every measurement; those made when nobody asks are marked."""
    rows = "".join(
        f"| `{one.name}` | {one.about} | {one.units} | {'yes' if one.needs_image else ''} | {'yes' if one.name in DEFAULT else ''} |\n"
        for one in COLUMNS.values()
    )
    return f"| name | definition | units | reads the image | by default |\n|---|---|---|---|---|\n{rows}"


def metrics() -> str:
    """Every key of `evaluate`."""
    rows = "".join(f"| `{one.key}` | {one.about} | {one.better} | {one.unit} | {one.peers} |\n" for one in METRICS.values())
    return f"| key | definition | better | unit | elsewhere |\n|---|---|---|---|---|\n{rows}"
