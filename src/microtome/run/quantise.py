"""A bundle's networks in whole numbers of 8 bits: smaller and, where the processor has the instructions, faster; not quite the same."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, MissingExtra, RecipeError, RunError
from microtome.core.raster import Image
from microtome.run.bundle import Bundle, agreement, example_of, open_bundle, write_bundle
from microtome.run.bundle_file import read_member, split_member
from microtome.run.execute import up_to
from microtome.run.graph import plan
from microtome.run.pipeline import segment
from microtome.run.recipe import Recipe
from microtome.run.steps.network import check_fit
from microtome.run.tiles.resize import resized, scaled_shape
from microtome.run.tiles.stitch import over_windows
from microtome.run.worker import Job, read_image

__all__ = ["MOST_WINDOWS", "Quantised", "quantise", "unplaced"]

MOST_WINDOWS = 128
"""No more windows are calibrated on; they are taken evenly from all there are."""


@dataclass(frozen=True)
class Quantised:
    """What came of it: the new bundle, on how many windows it was calibrated, and how well it agrees with the old one.

    Attributes
    ----------
    path : Path
    windows : int
    images : int
        That the agreement was measured on.
    agreement : float
        The share of their pixels whose class, or object, is the same; the mean over images.
    least : float
        Of the image where it is least.
    apart : bool
        Whether these images were kept apart from those of the calibration; one image alone serves for both.
    """

    path: Path
    windows: int
    images: int
    agreement: float
    least: float
    apart: bool


def quantise(bundle: Bundle, images: Sequence[Path], out: Path) -> Quantised:
    """Write a bundle whose networks compute in 8 bits, calibrated on images, and measure how far it agrees.

    Parameters
    ----------
    bundle : Bundle
    images : sequence of Path
        Like those it is meant for; every other one calibrates, the others show the agreement. Truth is not needed.
    out : Path
        The new bundle, a zip. Its card says what was done and the agreement; training further needs the old one.

    Returns
    -------
    Quantised

    Raises
    ------
    MissingExtra
        If ``onnx`` is not installed.
    InputError
        If there is no image, or one has other axes or channels than the network takes.
    RecipeError
        If the networks are in 8 bits already, the recipe decides over several images, or there is no network in it.
    RunError
        If ONNX Runtime cannot quantise the network.

    Notes
    -----
    Static quantisation by ONNX Runtime: convolutions with 8-bit weights, one scale a channel, and 8-bit activations whose range is
    the least and greatest value seen (B. Jacob et al., CVPR 2018, arXiv:1712.05877, section 2, without training).
    """
    if find_spec("onnx") is None:
        raise MissingExtra("quantising needs onnx: pip install 'microtome[deep]'")
    if not images:
        raise InputError("quantising needs images to calibrate on, found none")
    recipe = _checked(bundle.recipe)
    calibrating, judging = (images[::2], images[1::2]) if len(images) > 1 else (images, images)
    windows = _windows(recipe, calibrating)
    networks = {Path(place).stem: _in_8_bits(place, shown) for place, shown in windows.items()}
    document = unplaced(recipe, precision="int8")
    with tempfile.TemporaryDirectory(prefix="microtome-") as folder:
        trial = open_bundle(write_bundle(Path(folder) / "trial.zip", document, networks, card="", facts={}))
        shares = [_agreement(recipe, trial.recipe, path) for path in judging]
        example = example_of(bundle, trial.recipe)
    found = Quantised(out, max(map(len, windows.values())), len(judging), float(np.mean(shares)), float(np.min(shares)), len(images) > 1)
    facts = {**bundle.facts, "weights": "int8", "int8_agreement": round(found.agreement, 6), "int8_agreement_least": round(found.least, 6)}
    write_bundle(out, document, networks, card=f"{bundle.card.strip()}\n\n{_told(found)}", facts=facts, example=example)
    return found


def _told(found: Quantised) -> str:
    own = "images that were kept apart" if found.apart else "the image that it was calibrated on"
    return (
        f"## In 8 bits\n\nThe networks compute in numbers of 8 bits, calibrated on {found.windows} windows. On {found.images} {own} the "
        f"masks agree with those of the float32 networks in {found.agreement:.3%} of the pixels on average, in {found.least:.3%} at least."
    )


def _checked(recipe: Recipe) -> Recipe:
    if not any(use.step == "network" for use in recipe.steps):
        raise RecipeError("quantising: the recipe has no network")
    if any(use.settings.get("precision") == "int8" for use in recipe.steps):
        raise RecipeError("quantising: the model's networks are in 8 bits already")
    if any(use.over != "image" for use in recipe.steps):
        raise RecipeError("quantising: a recipe that decides over several images (over:) is not supported")
    return recipe


def unplaced(recipe: Recipe, **settings: Any) -> dict[str, Any]:
    """The recipe's document with its networks named as `write_bundle` wants them, and with these settings of theirs.

    What computes them is left to whatever a run chooses.
    """
    document = recipe.document()
    for use in document["steps"]:
        if isinstance(use, dict) and "network" in use:
            kept = {key: value for key, value in use["network"].items() if key not in ("engine", "precision", "sha256")}
            weights = kept["weights"]
            kept["weights"] = [Path(one).stem for one in weights] if isinstance(weights, list) else Path(weights).stem
            use["network"] = {**kept, **settings}
    return document


def _windows(recipe: Recipe, images: Sequence[Path]) -> dict[str, list[NDArray[np.float32]]]:
    """What each network, by its place, is shown of these images: windows (1, C, *window), evenly taken."""
    chain = plan(recipe)
    gathered: dict[str, list[NDArray[np.float32]]] = {}
    for node, use in zip(chain.nodes, recipe.steps, strict=True):
        if use.step == "network":
            shown: list[NDArray[np.float32]] = []
            for path in images:
                value = up_to(chain, node.number, read_image(Job(path.name, path), recipe.input), {})
                assert isinstance(value, Image)
                shown += _shown(value, node.settings)
            for place in use.networks:
                gathered.setdefault(place, []).extend(shown)
    return {place: _evenly(shown, MOST_WINDOWS) for place, shown in gathered.items()}


def _evenly(shown: Sequence[NDArray[np.float32]], most: int) -> list[NDArray[np.float32]]:
    chosen = np.unique(np.linspace(0, len(shown) - 1, most).round().astype(int))
    return [shown[k] for k in chosen]


def _shown(image: Image, settings: Mapping[str, Any]) -> list[NDArray[np.float32]]:
    kept: list[NDArray[np.float32]] = []

    def keep(windows: NDArray[np.float32]) -> NDArray[np.float32]:
        kept.extend(np.ascontiguousarray(np.moveaxis(window[None], -1, 1)) for window in windows)
        return np.zeros((*windows.shape[:-1], 1), np.float32)

    pixels = image.pixels.astype(np.float32, copy=False)
    scale = settings["scale"] if isinstance(settings["scale"], tuple) else (settings["scale"],) * image.ndim
    seen = resized(pixels if image.has_channels else pixels[..., None], scaled_shape(image.shape, scale))
    side = settings["window"]
    window = (side,) * 2 if image.ndim == 2 else (settings["depth"], side, side)
    padded = [length + 2 * settings["margin"] for length in window]  # without margins to take off, the window is the whole input
    over_windows(seen, keep, window=padded, overlap=(0,) * image.ndim)
    return kept


def _in_8_bits(place: str, windows: Sequence[NDArray[np.float32]]) -> bytes:
    import logging

    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    from microtome.run.engines.onnxruntime import open_network

    data = read_member(*split_member(place))
    network = open_network(data, place)
    for window in windows:
        check_fit(network.shape, window.shape[2:], window.shape[1], place)

    class _Windows(CalibrationDataReader):
        def __init__(self) -> None:
            self.left: Iterator[dict[str, NDArray[np.float32]]] = iter({network.input: window} for window in windows)

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            return next(self.left, None)

    logging.getLogger().addFilter(_quiet)
    with tempfile.TemporaryDirectory(prefix="microtome-") as folder:
        given, made = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        given.write_bytes(data)
        try:
            quantize_static(
                os.fspath(given), os.fspath(made), _Windows(), quant_format=QuantFormat.QDQ, per_channel=True,
                op_types_to_quantize=["Conv"], activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            )  # fmt: skip
        except (ValueError, RuntimeError, KeyError, NotImplementedError) as error:
            raise RunError(f"{place}: ONNX Runtime cannot quantise it: {' '.join(str(error).split())[:200]}") from None
        finally:
            logging.getLogger().removeFilter(_quiet)
        return made.read_bytes()


def _quiet(record: Any) -> bool:
    """Leave out the quantiser's advice to prepare the model: exports are already prepared."""
    return "pre-processing" not in record.getMessage()


def _agreement(old: Recipe, new: Recipe, path: Path) -> float:
    return agreement(segment(path, new, engine="onnxruntime").mask, segment(path, old, engine="onnxruntime").mask.pixels)
