"""What the page says in words: totals, warnings, failures, timings. Plain text; the template escapes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any

__all__ = ["duration", "facts_of"]


def facts_of(run: Mapping[str, Any]) -> dict[str, Any]:
    """Everything the head and the foot of the page say about a run."""
    images = run["images"]
    failed = [image for image in images if image["status"] == "failed"]
    waiting = [image["name"] for image in images if image["status"] not in ("done", "resumed", "failed")]
    counts = [output["count"] for image in images for output in image["outputs"].values() if output.get("count") is not None]
    return {
        "title": run.get("recipe_name") or "segmentation",
        "about": run["recipe"].get("about", ""),
        "images": len(images),
        "done": len(images) - len(failed) - len(waiting),
        "objects": sum(counts) if counts else None,
        "failed": failed,
        "waiting": waiting,
        "warnings": _warnings(run),
        "started": _moment(run.get("started", "")),
        "took": duration(run.get("seconds", 0.0)),
        "timings": _timings(images),
        "recipe_text": run.get("recipe_text", ""),
        "versions": run.get("versions", {}),
        "machine": _machine(run),
        "microtome": run.get("microtome", ""),
        "explained": any(image.get("explain") for image in images),
        "grouped": run.get("group") is not None,
        "group": run.get("group"),
        "previews": any(image["status"] in ("done", "resumed") for image in images),
    }


def _warnings(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each message once, with the images it was said of; the run's own first."""
    said: dict[str, list[str]] = {message: [] for message in run.get("warnings", [])}
    for image in run["images"]:
        for message in image.get("warnings", []):
            said.setdefault(message, []).append(image["name"])
    return [{"message": message, "images": names} for message, names in said.items()]


def _timings(images: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By step, in order: the sum over images, the median, and the share of all."""
    seconds: dict[str, list[float]] = {}
    for image in images:
        for step, took in image.get("timings", {}).items():
            seconds.setdefault(step, []).append(took)
    total = sum(map(sum, seconds.values())) or 1.0
    return [
        {"step": step, "sum": duration(sum(all_)), "median": duration(median(all_)), "share": 100 * sum(all_) / total}
        for step, all_ in seconds.items()
    ]


def _machine(run: Mapping[str, Any]) -> dict[str, str]:
    machine = run.get("machine", {})
    workers = run.get("workers", 1)
    found = {"Executor": f"{run['executor']}, {workers} worker{'s' if workers != 1 else ''}"} if run.get("executor") else {}
    named = {"platform": "System", "cores": "Cores"}
    return found | {title: str(machine[key]) for key, title in named.items() if machine.get(key)}


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{moment.day} {moment:%B %Y, %H:%M} {moment.tzname() or ''}".strip()


def duration(seconds: float) -> str:
    """A time as people say it.

    >>> duration(0.0421), duration(75), duration(7261)
    ('42.1 ms', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms" if seconds < 0.9995 else "1 s"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
