"""Which engine computes, and how precisely: chosen once for a run by what is installed and what the processor has.

The choice goes into the recipe of the run as settings of its `network` steps. So every worker computes alike, ``run.json`` says how, and
the recipe in it gives the same bytes again.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from microtome.core.errors import MissingExtra, RecipeError, did_you_mean
from microtome.run.recipe import Recipe

__all__ = ["ENGINES", "PRECISIONS", "Choice", "choose", "engine", "processor", "settle"]

ENGINES = ("onnxruntime", "openvino", "torch")
PRECISIONS = ("float32", "bfloat16")

_EXTRA = {"openvino": "fast", "torch": "deep"}
_BFLOAT16 = ("avx512_bf16", "avx_ne_convert", "amx_bf16", "bf16")  # as Linux names them; the last is ARM's
_TOLD = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", *_BFLOAT16, "amx_int8", "asimd", "sve")


@dataclass(frozen=True)
class Choice:
    """An engine with its precision, and why it was chosen.

    Attributes
    ----------
    engine, precision : str
    why : str
    measured : mapping of str to float
        Milliseconds a window by engine and precision, where that was measured.
    """

    engine: str = "onnxruntime"
    precision: str = "float32"
    why: str = ""
    measured: Mapping[str, float] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """As ``run.json`` has it, with the engine's version and the kind of processor."""
        told: dict[str, Any] = {"name": self.engine, "precision": self.precision, "version": version(self.engine), "why": self.why}
        told |= {"measured_ms": dict(self.measured)} if self.measured else {}
        return told | {"processor": processor()}


def engine(name: str) -> Any:
    """The module of an engine, whose `open_network` opens a network."""
    return import_module(f"microtome.run.engines.{name}")


def settle(recipe: Recipe, wanted: str | None = None) -> tuple[Recipe, Choice | None]:
    """The recipe with the engine of its `network` steps settled, and the choice; None where it has no such step.

    Parameters
    ----------
    recipe : Recipe
    wanted : str, optional
        ``--engine``: a name, a name with a precision (``"openvino:float32"``), or ``"fastest"``. Without it, a recipe whose steps name
        an engine stays as it is, and all others get what `choose` says.

    Raises
    ------
    RecipeError
        If there is no such engine or precision, or the bundle lacks what the engine needs.
    MissingExtra
        If the engine is not installed.
    """
    networks = [use for use in recipe.steps if use.step == "network"]
    if not networks:
        if wanted is not None:
            raise RecipeError(f"--engine {wanted}: the recipe has no network to compute; leave it out")
        return recipe, None
    pinned = next((use.settings for use in networks if use.settings.get("engine")), None)
    if wanted is None and pinned is not None:
        return recipe, Choice(str(pinned["engine"]), str(pinned.get("precision", "float32")), "the recipe names it")
    choice = _fastest(recipe) if wanted == "fastest" else choose(wanted)
    if any(use.settings.get("precision") == "int8" for use in networks):
        choice = replace(choice, precision="int8", why=f"{choice.why}; the network itself is in 8 bits")
    if choice.engine == "torch":
        _check_torch(recipe)
    document = recipe.document()
    for use in document["steps"]:
        if isinstance(use, dict) and "network" in use:
            use["network"] = {**use["network"], "engine": choice.engine, "precision": choice.precision}
    return Recipe.from_document(document), choice


def choose(wanted: str | None = None) -> Choice:
    """The engine of this name, or, without a name, the best of what is installed.

    Notes
    -----
    OpenVINO where it is installed, else ONNX Runtime: torch takes longer to start than most runs take, and is no faster. bfloat16
    where the processor computes in it and the engine can; elsewhere it is slower than float32.

    Raises
    ------
    RecipeError
        If there is no such engine or precision.
    MissingExtra
        If it is not installed.

    Examples
    --------
    >>> choose("onnxruntime").precision
    'float32'
    """
    name, _, precision = (wanted or ("openvino" if find_spec("openvino") else "onnxruntime")).partition(":")
    if name not in ENGINES:
        raise RecipeError(f"engine {name!r}{did_you_mean(name, [*ENGINES, 'fastest'])}")
    if precision and precision not in PRECISIONS:
        raise RecipeError(f"engine {wanted!r}: precision {precision!r}{did_you_mean(precision, PRECISIONS)}")
    if precision == "bfloat16" and name == "onnxruntime":
        raise RecipeError(f"engine {wanted!r}: ONNX Runtime computes in float32; bfloat16 is computed by openvino and torch")
    if find_spec(name) is None:
        raise MissingExtra(f"the engine {name} is not installed: pip install 'microtome[{_EXTRA[name]}]'")
    best = "bfloat16" if name != "onnxruntime" and computes_bfloat16() else "float32"
    why = "asked for" if wanted else "installed for speed" if name == "openvino" else "in every installation"
    if not precision and name != "onnxruntime":
        why += f"; the processor computes {'in bfloat16' if best == 'bfloat16' else 'no bfloat16'}"
    return Choice(name, precision or best, why)


def computes_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16; False where it does not say."""
    return any(flag in processor()["features"] for flag in _BFLOAT16)


@cache
def processor() -> dict[str, Any]:
    """The kind of processor: its name, and the instructions that decide how networks are computed."""
    told: dict[str, str] = {}
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(errors="replace").split("\n\n", 1)[0].splitlines():
            key, _, value = line.partition(":")
            told[key.strip()] = value.strip()
    flags = set(told.get("flags", told.get("Features", "")).split())
    name = told.get("model name") or platform.processor() or platform.machine()
    return {"name": name, "features": [flag for flag in _TOLD if flag in flags]}


def _check_torch(recipe: Recipe) -> None:
    from microtome.run.engines.torch import can_open

    for place in recipe.networks:
        if not can_open(place):
            raise RecipeError(f"--engine torch: {place} comes without an account of its network or without its weights, which torch builds "
                              "it from; choose onnxruntime or openvino")  # fmt: skip


def _fastest(recipe: Recipe) -> Choice:
    """Measure every engine there is on a few windows of noise."""
    from microtome.run.bundle_file import read_member, split_member
    from microtome.run.catalogue import load
    from microtome.run.engines.torch import can_open

    use = next(use for use in recipe.steps if use.step == "network")
    settings = load("network").check(use.settings)
    place = recipe.networks[0]
    data = read_member(*split_member(place))
    first = engine("onnxruntime").open_network(data, place)
    side = settings["window"] + 2 * settings["margin"]
    deep = (settings["depth"] + 2 * settings["margin"],) if len(first.shape) == 5 else ()
    channels = first.shape[1] if len(first.shape) > 1 else None
    windows = np.random.default_rng(0).random((settings["batch"], *deep, side, side, channels or 1), np.float32)
    measured: dict[tuple[str, str], float] = {}
    for name in ENGINES:
        if find_spec(name) is None or (name == "torch" and not all(can_open(one) for one in recipe.networks)):
            continue
        for precision in _worth_measuring(name, settings["precision"]):
            network = engine(name).open_network(data, place, precision)
            measured[name, precision] = _milliseconds(network, windows)
    name, precision = min(measured, key=lambda key: measured[key])
    return Choice(name, precision, "the fastest on this machine's own measure",
                  {" ".join(key): round(value, 2) for key, value in measured.items()})  # fmt: skip


def _worth_measuring(name: str, own: str) -> tuple[str, ...]:
    if own == "int8":
        return ("int8",)
    return PRECISIONS if name != "onnxruntime" and computes_bfloat16() else ("float32",)


def _milliseconds(network: Any, windows: Any) -> float:
    """Of one window, when as many are computed at once as the recipe says; the best of three after one that warms it."""
    best = float("inf")
    for _ in range(4):
        start = time.perf_counter()
        network(windows)
        best = min(best, time.perf_counter() - start)
    return best * 1000 / len(windows)
