"""``microtome doctor``: what is installed, what this processor has, and what to install for what."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

import typer

import microtome

__all__ = ["doctor"]

BASE = ("numpy", "scipy", "numba", "opencv-python-headless", "scikit-image", "connected-components-3d", "edt", "pillow", "tifffile",
        "imagecodecs", "roifile", "defusedxml", "pydantic", "pyyaml", "typer", "rich", "matplotlib", "jinja2", "onnxruntime",
        "optuna")  # fmt: skip
FEATURES = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16")


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say what is installed, what the processor has, where caches lie, and what is missing."""
    found = _examine()
    if as_json:
        print(json.dumps(found))
    else:
        print(_page(found))
    if found["missing"]:
        raise typer.Exit(1)


def _examine() -> dict[str, Any]:
    versions = {package: _version(package) for package in BASE}
    missing = [package for package, number in versions.items() if number is None]
    return {
        "microtome": microtome.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": _memory(),
        "processor": _processor(),
        "packages": versions,
        "missing": missing,
        "compiled_kernels": _kernels(),
    } | ({"install": f"pip install {' '.join(missing)}"} if missing else {})


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError, AttributeError):
        return None


def _processor() -> dict[str, Any]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return {"name": platform.processor(), "features": []}
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    facts = {key.strip(): value.strip() for key, value in lines.items()}
    flags = set(facts.get("flags", facts.get("Features", "")).split())
    return {"name": facts.get("model name", platform.machine()), "features": [feature for feature in FEATURES if feature in flags]}


def _kernels() -> dict[str, Any]:
    """Where numba keeps compiled kernels: beside the package, or in the user's cache where that cannot be written."""
    folder = Path(microtome.__file__).parent
    compiled = len(list(folder.rglob("*.nbc")))
    return {"folder": str(folder), "writable": os.access(folder, os.W_OK), "compiled": compiled}


def _page(found: dict[str, Any]) -> str:
    processor = found["processor"]
    lines = [
        f"microtome {found['microtome']}, Python {found['python']}, {found['platform']}",
        f"processor: {processor['name']}, {found['cores']} cores, {' '.join(processor['features']) or 'no special features'}",
        f"memory: {found['memory_gb']} GiB",
        f"compiled kernels: {found['compiled_kernels']['compiled']}"
        + ("" if found["compiled_kernels"]["compiled"] else " (the first run compiles them, a few seconds)"),
        "packages:",
        *(f"  {package:<26} {number or 'MISSING'}" for package, number in found["packages"].items()),
    ]
    if found["missing"]:
        lines.append(f"install what is missing: {found['install']}")
    return "\n".join(lines)
