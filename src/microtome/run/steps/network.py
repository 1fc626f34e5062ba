"""A trained network as a step: image in, scores out, window by window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from importlib import import_module
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, RecipeError
from microtome.core.kernels.bands import threads
from microtome.core.parameters import Range
from microtome.core.raster import Image, ScoreMap
from microtome.core.step import step
from microtome.core.tiling import Windowed
from microtome.run.tiles.resize import WAYS
from microtome.run.tiles.views import View, views
from microtome.run.tiles.whole import Windows, over_image
from microtome.targets.heads import Head

__all__ = ["check_fit", "network"]

Activation = Literal["none", "softmax", "sigmoid"]


@step(tiling=Windowed(), channels="joint")
def network(
    image: Image,
    *,
    weights: str | tuple[str, ...],
    sha256: str | tuple[str, ...] = "",
    output: str | tuple[str, ...] = "",
    layers: tuple[str, ...] = (),
    activation: Activation | tuple[Activation, ...] = "softmax",
    temperature: Annotated[float | tuple[float, ...], Range(above=0)] = 1,
    scale: Annotated[float | tuple[float, ...], Range(0.01, 100, search=(0.5, 2), log=True)] = 1,
    window: Annotated[int, Range(8, 8192, unit="px")] = 256,
    overlap: Annotated[int, Range(0, 4096, unit="px")] = 64,
    depth: Annotated[int, Range(1, 1024, unit="px")] = 32,
    multiple: Annotated[int, Range(0, 1024, unit="px")] = 0,
    margin: Annotated[int, Range(0, 1024, unit="px")] = 0,
    batch: Annotated[int, Range(1, 256)] = 4,
    flips: bool = False,
    turns: bool = False,
    engine: Literal["", "onnxruntime", "openvino", "torch"] = "",
    precision: Literal["float32", "bfloat16", "int8"] = "float32",
) -> ScoreMap:
    """Apply a network to every window of an image and blend what it says.

    Parameters
    ----------
    image : Image
        Of as many channels as the network was trained on.
    weights : str or tuple of str
        The network's file: ``networks/main.onnx`` in a bundle's recipe, or a path. Of several networks (an ensemble) the mean counts.
    sha256 : str or tuple of str
        Its hash, or theirs; a file that has another is refused. Empty: any file.
    output : str or tuple of str
        Which of the network's outputs; several are put behind one another. Empty for the only one.
    layers : tuple of str
        What each channel of the output is. "dz", "dy" and "dx" are the parts of a vector in pixels: they are turned and sized along.
    activation : {"none", "softmax", "sigmoid"}, or a tuple of them
        What turns the output into scores; several: one an output.
    temperature : float, or one an output
        What the output is divided by before softmax or sigmoid: above 1 scores become less sure, below 1 surer. Fitted on held-out images
        it makes a probability of 0.8 right in eight of ten pixels. 1 leaves it as it is; an output without activation stays.
    scale : float, or one an axis
        The image is first brought to this many times its size, so that objects are as large as in training: area-averaged where it
        shrinks, linear where it grows. The scores are brought back to the image's own pixels the same way. 1 leaves it as it is.
    window, overlap : int
        Side of the windows and how far neighbours overlap, along y and x, in pixels of the scaled image.
    depth : int
        Of the windows of a volume along z; neighbours overlap by `overlap` there too, but by a quarter of it at most.
    multiple : int
        Windows are made as small as covers the image with as many of them, in steps of this: less is mirrored, and computed, beyond its
        end. 0: they keep their size.
    margin : int
        What the network takes off each side of its input, if it pads nothing.
    batch : int
        Windows at once: a matter of memory and speed, not of the result.
    flips : bool
        Also show each window mirrored along every axis, and take the mean (test-time augmentation): slower, a little surer.
    turns : bool
        Also show each window by quarter turns in y and x; with `flips`, all eight views of the plane.
    engine : {"", "onnxruntime", "openvino", "torch"}
        What computes it. Left out: what the run chooses (``--engine``), ONNX Runtime outside of a run.
    precision : {"float32", "bfloat16", "int8"}
        What the engine computes in; ONNX Runtime knows no bfloat16. "int8" is for files that were exported so.

    Returns
    -------
    ScoreMap
        One layer a channel of the output, over the same pixels.

    Raises
    ------
    InputError
        If the file is missing, changed or no network; if the image has other axes or channels than the network takes; or if windows
        of this size do not fit it.
    MissingExtra
        If the engine is not installed.
    RecipeError
        If the scales, hashes, activations or temperatures are not as many as the axes, networks or outputs.

    Notes
    -----
    The grid of windows starts at the image's first pixel and follows from `window`, `overlap`, `depth` and, with `multiple`, from the
    image's size alone; neighbours overlap by half a window at most. Windows that reach over the end are mirrored there. Their scores are
    weighted by ramps that fall towards the sides and added up in the grid's order, whatever `batch` and the number of threads.

    Examples
    --------
    A network that doubles each value, written down (``onnx`` comes with the extra ``deep``; running one needs no extra):

    >>> import tempfile
    >>> from onnx import parser
    >>> twice = "twice (float[n, 1, y, x] image) => (float[n, 1, y, x] scores) {scores = Add(image, image)}"
    >>> data = parser.parse_model('<ir_version: 9, opset_import: ["" : 18]> ' + twice).SerializeToString()
    >>> with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
    ...     _ = file.write(data), file.flush()
    ...     scores = network(np.array([[1, 2], [3, 4]]), weights=file.name, activation="none", layers=("double",))
    >>> scores.layers, scores.pixels[..., 0].tolist()
    (('double',), [[2.0, 4.0], [6.0, 8.0]])
    """
    members = _members(weights, sha256)
    place = ", ".join(name for name, _ in members)
    runs = [_opened(*member, engine or "onnxruntime", precision, threads(), _stamp(member[0])) for member in members]
    full = (depth, window, window)[-image.ndim :]
    wide = (min(overlap, depth // 4), *(min(overlap, window // 2),) * 2)[-image.ndim :]
    windows = Windows(full, wide, multiple, margin, batch, _scales(scale, image))
    for run, (name, _) in zip(runs, members, strict=True):
        check_fit(run.shape, [side + 2 * margin for side in windows.fitted(image.shape)[0]], image.channel_count, name)
    ways = {axis: layers.index(name) for axis, name in enumerate(WAYS[-image.ndim :], 1) if name in layers}
    heads = _heads(output, activation)
    ask = partial(_scores, runs, heads, _temperatures(temperature, heads), views(image.ndim, flips=flips, turns=turns), ways, layers, place)
    scores = over_image(image, ask, windows, layers)
    names = layers or tuple(str(k) for k in range(scores.shape[-1]))
    return ScoreMap(scores, **{**image.geometry(), "axes": image.axes.rstrip("c") + "c"}, layers=names)


def _members(weights: str | tuple[str, ...], hashes: str | tuple[str, ...]) -> list[tuple[str, str]]:
    """Each network's file with its hash."""
    files = (weights,) if isinstance(weights, str) else weights
    sums = (hashes,) * len(files) if hashes == "" else (hashes,) if isinstance(hashes, str) else hashes
    if not files or len(sums) != len(files):
        raise RecipeError(f"network: {len(files)} networks with {len(sums)} hashes (sha256); each has one, or none has")
    return list(zip(files, sums, strict=True))


def _heads(output: str | tuple[str, ...], activation: Activation | tuple[Activation, ...]) -> list[Head]:
    """Each output with its activation."""
    outputs = (output,) if isinstance(output, str) else output
    activations = (activation,) * len(outputs) if isinstance(activation, str) else activation
    if not outputs or len(activations) != len(outputs):
        raise RecipeError(f"network: {len(outputs)} outputs with {len(activations)} activations; give one for all, or one an output")
    return [Head(name, (), kind) for name, kind in zip(outputs, activations, strict=True)]


def _temperatures(temperature: float | tuple[float, ...], heads: Sequence[Head]) -> tuple[float, ...]:
    found = temperature if isinstance(temperature, tuple) else (temperature,) * len(heads)
    if len(found) != len(heads):
        raise RecipeError(f"network: {len(heads)} outputs with {len(found)} temperatures; give one for all, or one an output")
    return found


def _scales(scale: float | tuple[float, ...], image: Image) -> tuple[float, ...]:
    scales = scale if isinstance(scale, tuple) else (scale,) * image.ndim
    if len(scales) != image.ndim:
        raise RecipeError(f"network: scale {scale} has {len(scales)} numbers, the image has {image.ndim} axes ({image.axes.rstrip('c')})")
    return scales


@lru_cache(maxsize=16)
def _opened(weights: str, expected: str, engine: str, precision: str, threads: int, stamp: tuple[int, int]) -> Any:
    """The network, kept for the next image; a file written anew, or another number of threads, is another network."""
    from microtome.run.bundle_file import read_member, sha256, split_member

    data = read_member(*split_member(weights))
    if expected and sha256(data) != expected:
        raise InputError(f"{weights}: has changed since its bundle was made (its sha256 differs); get the bundle again")
    return import_module(f"microtome.run.engines.{engine}").open_network(data, weights, precision)


def _stamp(weights: str) -> tuple[int, int]:
    """When the file, or the zip it is in, was written, and its size; zeros where there is none, which reading it will say."""
    from microtome.run.bundle_file import split_member

    bundle, name = split_member(weights)
    file = bundle if bundle.is_file() else bundle / name
    return (file.stat().st_mtime_ns, file.stat().st_size) if file.is_file() else (0, 0)


def check_fit(taken: Sequence[int | None], size: Sequence[int], channels: int, place: str) -> None:
    """Refuse what the network does not take, by the shape it declares: (N, C, *window), each a number or open."""
    if not taken:  # the file does not say: what it does with a window shows
        return
    if len(taken) != 2 + len(size):
        way = "give it its planes, each a file of its own" if len(size) == 3 else "it is for volumes"
        raise InputError(f"{place}: takes images of {len(taken) - 2} axes, this one has {len(size)}: {way}")
    if taken[0] not in (None, 1):
        raise InputError(f"{place}: takes {taken[0]} windows at once, no more and no less; export it with the batch left open")
    if taken[1] not in (None, channels):
        way = ": choose one (segment --channel)" if taken[1] == 1 else ""
        raise InputError(f"{place}: takes images of {taken[1]} channel{'s' * (taken[1] != 1)}, this one has {channels}{way}")
    if any(fixed not in (None, side) for fixed, side in zip(taken[2:], size, strict=True)):
        raise InputError(f"{place}: takes windows of {_sides(taken[2:])} only, got {_sides(size)}: set window, depth and margin to suit")


def _sides(size: Sequence[int | None]) -> str:
    return " x ".join("any" if side is None else str(side) for side in size)


def _scores(
    runs: Sequence[Any], heads: Sequence[Head], temperatures: Sequence[float], views: Sequence[View], ways: Mapping[int, int],
    layers: Sequence[str], place: str, windows: NDArray[np.float32],
) -> NDArray[np.float32]:  # fmt: skip
    """The mean over all networks and views of what they say."""
    total: Any = None
    for run in runs:
        for view in views:
            said = view.back(_answer(run, heads, temperatures, place, view.seen(windows)), ways)
            total = said if total is None else total + said
    if layers and len(layers) != total.shape[-1]:
        raise InputError(f"{place}: gives {total.shape[-1]} layers, the recipe names {len(layers)}: {', '.join(layers)}")
    count = len(runs) * len(views)
    return np.asarray(total if count == 1 else total / np.float32(count), np.float32)


def _answer(
    run: Any, heads: Sequence[Head], temperatures: Sequence[float], place: str, windows: NDArray[np.float32]
) -> NDArray[np.float32]:
    found = run(windows)
    parts = []
    for head, temperature in zip(heads, temperatures, strict=True):
        output = next(iter(found)) if not head.name and len(found) == 1 else head.name
        if output not in found:
            raise InputError(f"{place}: has no output {output!r}; it has {', '.join(found)}")
        cold = temperature == 1 or head.activation == "none"
        parts.append(head.activate(found[output] if cold else found[output] / np.float32(temperature)))
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
