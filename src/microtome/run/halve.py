"""A bundle whose weights are stored in half precision: half as large, computed as before."""

from __future__ import annotations

import json
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from microtome.core.errors import MissingExtra, RecipeError
from microtome.run.bundle import Bundle, example_of, open_bundle, write_bundle
from microtome.run.bundle_file import ARCHITECTURE, WEIGHTS, has_beside, read_beside, read_member, split_member
from microtome.run.quantise import unplaced

__all__ = ["halve"]

_GREATEST = float(np.finfo(np.float16).max)


def halve(bundle: Bundle, out: Path) -> Path:
    """Write a bundle with the same networks, their kernels rounded to half precision.

    Parameters
    ----------
    bundle : Bundle
    out : Path
        The new bundle, a zip. It can be trained further, from the rounded weights; its example shows what the new networks make of
        the old one's image.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    MissingExtra
        If ``onnx`` or ``safetensors`` is not installed.
    RecipeError
        If the recipe has no network, it is in 8 bits, or a weight is beyond what half precision holds (65504).

    Notes
    -----
    A weight w of a kernel becomes w (1 + d), d at most 2^-11 (IEEE 754 binary16; below 6e-5 coarser). Numbers a channel, such as biases
    and the statistics of normalisation, stay: they are few, and a variance may be beyond what half precision holds. Engines turn
    weights back into float32 once, as they open the network: speed and memory are as before.
    """
    if find_spec("onnx") is None or find_spec("safetensors") is None:
        raise MissingExtra("storing weights in half precision needs onnx and safetensors: pip install 'microtome[deep]'")
    places = {Path(place).stem: place for place in bundle.recipe.networks}
    if not places:
        raise RecipeError("half precision: the recipe has no network")
    if any(use.settings.get("precision") == "int8" for use in bundle.recipe.steps):
        raise RecipeError("half precision: the model's networks are in 8 bits already")
    networks = {name: _network(place) for name, place in places.items()}
    weights = {name: _weights(place) for name, place in places.items() if has_beside(place, WEIGHTS)}
    built = {name: json.loads(read_beside(place, ARCHITECTURE)) for name, place in places.items() if has_beside(place, ARCHITECTURE)}
    document, facts = unplaced(bundle.recipe), {**bundle.facts, "weights": "float16"}
    only = next(iter(weights.values())) if len(places) == 1 and weights else weights
    with tempfile.TemporaryDirectory(prefix="microtome-") as folder:
        trial = open_bundle(write_bundle(Path(folder) / "trial.zip", document, networks, card="", facts={}))
        example = example_of(bundle, trial.recipe)
    return write_bundle(out, document, networks, card=bundle.card, facts=facts, weights=only, architectures=built, example=example)


def _network(place: str) -> bytes:
    """The ONNX model with its large float32 constants in half precision, each behind a cast to float32."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load_model_from_string(read_member(*split_member(place)))
    casts = []
    for constant in model.graph.initializer:
        values = numpy_helper.to_array(constant)
        if constant.data_type == TensorProto.FLOAT and values.ndim > 1:
            stored = f"{constant.name}.half"
            casts.append(helper.make_node("Cast", [stored], [constant.name], to=TensorProto.FLOAT))
            constant.CopyFrom(numpy_helper.from_array(_half(values, place), stored))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return bytes(model.SerializeToString())


def _weights(place: str) -> bytes:
    from safetensors.numpy import load, save

    given = load(read_beside(place, WEIGHTS))
    return bytes(
        save({name: _half(values, place) if values.dtype == np.float32 and values.ndim > 1 else values for name, values in given.items()})
    )


def _half(values: np.ndarray, place: str) -> np.ndarray:
    if np.abs(values).max(initial=0) > _GREATEST:
        raise RecipeError(f"{place}: has weights beyond {_GREATEST:g}, which half precision does not hold; keep it as it is")
    return values.astype(np.float16)
