"""Tables of what can be measured and scored, with the definition that stands in the code."""

from __future__ import annotations

from microtome.measure.metrics.evaluate import DEFINITIONS
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
    rows = "".join(f"| `{key}` | {about} |\n" for key, about in DEFINITIONS.items())
    return f"| key | definition |\n|---|---|\n{rows}"
