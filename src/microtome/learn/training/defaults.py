"""Defaults of training, settled from the data, each with its reason. What the user said stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, pi, prod
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from microtome.core.errors import RecipeError
from microtome.learn.augment.default import Content, default_chain
from microtome.learn.augment.grain import have_grain
from microtome.learn.training.events import Choice
from microtome.learn.training.look import Look
from microtome.learn.training.prepare import scales_of
from microtome.learn.training.recipe import TrainingRecipe, one_of
from microtome.losses.class_weights import balanced
from microtome.measure.metrics.definitions import find
from microtome.targets import catalogue as targets
from microtome.targets.heads import Head

if TYPE_CHECKING:
    from microtome.networks.network import Network

__all__ = ["SMALL", "settle"]

SMALL = 10.0
"""The diameter, in pixels of the network's input, that small objects (the 10th percentile) are brought to at least: below it one pixel
of an outline is a third of the object."""
_FEW = 0.02
_SPECK = 4  # pixels
_LARGE = 48.0  # the median diameter above which pixels are spent on the inside of objects
_MOST_SCALE = 2.0
_SIDE = {2: 256, 3: 64}
_SCARCE = 0.001  # the share of all pixels below which a class is lost among the others
_SCARCE_OF = 5  # classes
_SIDE_SCARCE = 160
_SLIP = 64  # pixels
_THIN = 2.0  # pixels, of what is left in a smaller picture
_FEWEST_PIECES = 5
_GROUND = 0.2  # of all pixels: what covers more, such as a sky, is what other classes lie on
_STEPS = 3000
_FEWEST_EPOCHS = 20
_ANISOTROPIC = 2.0  # how much farther planes are apart than pixels, where it is worth a word

_COMPLETED = ("network", "sampling", "optimiser", "schedule")

_LOSSES = {"softmax": ("cross_entropy", "dice"), "sigmoid": ("bce", "dice"), "none": ("smooth_l1",)}
_WHY = {
    "softmax": "each pixel counts, and each class by its overlap, however rare or thin it is",
    "sigmoid": "each pixel counts, and the overlap",
    "none": "numbers: squared near the truth, absolute farther off",
}

Settled = tuple[Any, str]


def settle(
    recipe: TrainingRecipe, look: Look, content: tuple[Content, str], *, accelerated: bool, processes: int = 1
) -> tuple[TrainingRecipe, tuple[Choice, ...]]:
    """Fill in what the user left open.

    Parameters
    ----------
    recipe : TrainingRecipe
    look : Look
        At the images for training.
    content : (str, str)
        What the pictures show, and why it is thought so (`microtome.learn.augment.content.content_of`).
    accelerated : bool
        Whether there is a GPU.
    processes : int
        That train together and share each batch.

    Returns
    -------
    recipe, choices
        With every field settled; a choice for each, also for those the user made.

    Raises
    ------
    RecipeError
        If what the user said does not go together.
    """
    settled = recipe.model_dump()
    choices: list[Choice] = []

    def choose(place: str, otherwise: Callable[[], Settled]) -> Any:
        given = settled[place]
        if given is None:
            value, reason = otherwise()
        elif place in _COMPLETED and isinstance(given, Mapping):
            value, reason = _completed(place, given, *otherwise())
        else:
            value, reason = given, "as you said"
        settled[place] = value
        choices.append(Choice(place, value, reason))
        return value

    choose("prepare", lambda: _prepare(look, content))
    scale = _scale_each(choose("scale", lambda: _scale(look, recipe.window)), look.ndim)
    name, given = one_of(choose("target", lambda: _target(look, scale)), "target")
    choose("refine", lambda: _refine(look, name))
    heads = targets.load(name, given, "target").heads(look.classes, look.ndim)
    network = choose("network", lambda: _network(look, accelerated))
    window = choose("window", lambda: _window(look, scale, network, heads))
    batch = choose("batch", lambda: _batch(window, accelerated, processes))
    choose("loss", lambda: _loss(heads, look, name))
    channels = 1 if _names_grey(settled["prepare"]) else max(look.channels)
    oriented = choose("oriented", lambda: _oriented(look, recipe.augment is not None))
    choose("augment", lambda: _augment(channels, window, content, oriented))
    choose("sampling", lambda: _sampling(look, scale, window, batch * recipe.accumulate))
    scarce = recipe.network is None and look.ndim == 2 and _scarce(look)
    choose("optimiser", lambda: _optimiser(batch, scarce=scarce))
    choose(
        "schedule", lambda: ({"cosine": {"warm_up": 0.03, "end": 0.01}}, "falls to nearly nothing, so that the last weights are settled")
    )
    settled["budget"], reason = _budget(recipe, settled["sampling"], batch * recipe.accumulate)
    choices.append(Choice("budget", {key: value for key, value in settled["budget"].items() if value is not None}, reason))
    validation = settled["validation"]
    if validation["metric"] is None:
        validation["metric"] = "ap_50" if look.kind == "instance" else "miou_set"
        reason = f"labels are {'objects' if look.kind == 'instance' else 'classes'}"
    else:
        reason = "as you said"
        _check_metric(validation["metric"], look.kind)
    choices.append(Choice("validation.metric", validation["metric"], reason))
    return TrainingRecipe.model_validate(settled), tuple(choices)


def _completed(place: str, given: Mapping[str, Any], settled: Mapping[str, Any], reason: str) -> Settled:
    """What was said, with what is settled beside it where both are of the same network, optimiser or schedule."""
    if place == "sampling":
        value, added = {**settled, **given}, sorted(set(settled) - set(given))
    else:
        (name, own), (other, rest) = one_of(given, place), one_of(settled, place)
        if name != other:
            return given, "as you said"
        value, added = {name: {**rest, **own}}, sorted(set(rest) - set(own))
    return value, f"as you said; {', '.join(added)}: {reason}" if added else "as you said"


def _check_metric(name: str, task: str) -> None:
    """Before hours are lost: it is there, and the weights of its greatest value are the best."""
    found = find(name, task=task)
    if found.better != "higher":
        better = "lower" if found.better == "lower" else "nearer to zero"
        raise RecipeError(f"validation.metric: {name} is better where it is {better}, and the weights with the highest score are kept; "
                          f"take another, such as {'f1_50 or pq' if task == 'instance' else 'dice or boundary_f1'}")  # fmt: skip


def _prepare(look: Look, content: tuple[Content, str]) -> Settled:
    steps: list[str | dict[str, Any]] = []
    why = []
    if len(look.channels) > 1:
        if not set(look.channels) <= {1, 3, 4}:
            found = ", ".join(f"{count} with {number}" for number, count in sorted(look.channels.items()))
            raise RecipeError(f"prepare: the images have different numbers of channels ({found}); choose one with --channel")
        steps.append("to_grey")
        why.append("some images are grey and some are coloured, so all are made grey")
    joint = content[0] in ("colour", "histology") and not steps
    highest = 100.0 if look.sparse > _FEW else 99.8
    steps.append({"normalise": {"lo": 1.0, "hi": highest, **({"joint": True} if joint else {})}})
    why.append("pictures of different exposure become alike" + (", their colours kept" if joint else ""))
    if highest == 100:
        why.append(f"in {look.sparse:.0%} of them hardly a pixel is brighter than the rest, and those few are kept")
    return steps, "; ".join(why)


def _names_grey(prepare: list[Any]) -> bool:
    return any(step == "to_grey" or (isinstance(step, Mapping) and "to_grey" in step) for step in prepare)


def _scale_each(scale: float | list[float], ndim: int) -> tuple[float, ...]:
    if isinstance(scale, list) and len(scale) != ndim:
        raise RecipeError(f"scale: found {scale}, expected one number, or {ndim}: one for each axis of the images")
    return scales_of(scale, ndim)


def _scale(look: Look, window: list[int] | None) -> Settled:
    if look.ndim == 3 and (far := _far_apart(look)):
        return 1.0, f"{far}: left as they are, since planes in between would be invented; scale [z, y, x] brings them nearer"
    if look.ndim == 2 and _scarce(look) and (why := _too_wide(look, min(window or [_SIDE_SCARCE]))):
        return 0.5, why
    if look.kind == "semantic" or look.ndim == 3 or not len(look.diameters):
        return 1.0, "pixels as they are"
    small, middle = look.diameter(10), look.diameter(50)
    seen = f"objects are {middle:.3g} px across (the smallest tenth below {small:.3g})"
    if small < SMALL:
        scale = min(_MOST_SCALE, round(4 * SMALL / small) / 4)
        if scale > 1:
            return scale, f"{seen}: enlarged, so that a pixel of an outline weighs less"
    if middle > _LARGE and (scale := max(0.25, round(4 * _LARGE / middle) / 4, ceil(4 * SMALL / small) / 4)) < 1:
        return scale, f"{seen}: fewer pixels say as much"
    return 1.0, f"{seen}: a good size as they are"


def _too_wide(look: Look, window: int) -> str:
    """Why pictures are halved: of some class a window shows the inside only, and no class is too thin for it. Empty where they are not."""
    seen = {value: pieces for value, pieces in look.pieces.items() if pieces.number >= _FEWEST_PIECES and look.shares[value] < _GROUND}
    widest = max(seen, key=lambda value: seen[value].middle, default=None)
    thinnest = min(look.pieces, key=lambda value: look.pieces[value].thin, default=None)
    if widest is None or thinnest is None or seen[widest].middle < 0.75 * window or look.pieces[thinnest].thin < 2 * _THIN:
        return ""
    wide, thin = look.classes.name_of(widest), look.classes.name_of(thinnest)
    return (f"halved: {wide} is {seen[widest].middle:.3g} px wide, of which windows of {window} show little but the inside; {thin}, the "
            f"thinnest, is {look.pieces[thinnest].thin:.3g} px wide")  # fmt: skip


def _far_apart(look: Look) -> str:
    """That the planes of a volume are much farther apart than its pixels, in words; empty where they are not."""
    if look.spacing is None or max(look.spacing) < _ANISOTROPIC * min(look.spacing):
        return ""
    return f"along z, y, x a pixel is {' x '.join(f'{one:.3g}' for one in look.spacing)} {look.unit}"


def _target(look: Look, scale: tuple[float, ...]) -> Settled:
    if look.kind == "semantic":
        ignored = [entry.name for entry in look.classes if entry.role == "ignore"]
        return {"classes": {}}, f"{len(look.classes) - len(ignored)} classes" + (
            f"; {' and '.join(ignored)} is not learned" if ignored else ""
        )
    wide = look.diameter(10) * prod(scale) ** (1 / look.ndim) >= SMALL
    return {"interior_border": {"width": 2 if wide else 1}}, (
        "objects: their insides and edges are told apart, so that those that touch can be parted; edges are "
        + ("two pixels wide: one is easily missed" if wide else "one pixel wide: small objects would have no inside else")
    )


def _refine(look: Look, target: str) -> Settled:
    """What is done to decoded objects: what hardly any labelled object is like, none found shall be."""
    steps: list[str | dict[str, Any]] = []
    why = []
    if look.kind == "semantic":
        return [], "classes are taken as they are decoded"
    if target == "classes":
        steps.append("connected_components")
        why.append("each piece of a class is an object")
    if look.holed < _FEW:
        steps.append("fill_holes")
        why.append(f"{look.holed:.1%} of the objects have holes")
    least = int(_area(look.diameter(1), look.ndim) / 2)
    if least >= _SPECK:
        steps.append({"drop_small": {"min_area": least}})
        why.append(f"99 % of the objects have more than {2 * least} pixels, and what has not half of that is dropped")
    return steps, "; ".join(why) or "objects are taken as they are decoded"


def _area(diameter: float, ndim: int) -> float:
    return pi * diameter**2 / 4 if ndim == 2 else pi * diameter**3 / 6


def _network(look: Look, accelerated: bool) -> Settled:
    root = 32 if accelerated else 16
    flat = {} if look.ndim == 2 else {"dimensions": 3}
    depth = 5 if look.ndim == 2 else 4
    where = "there is an accelerator" if accelerated else "small enough to learn on a processor"
    return {"unet": {"depth": depth, "root": root, **flat}}, where


def _window(look: Look, scale: tuple[float, ...], network: Mapping[str, Any], heads: Sequence[Head]) -> Settled:
    name, settings = one_of(network, "network")
    stride = 2 ** (int(settings.get("depth", 5)) - 1) if name == "unet" else 32
    middle = [float(side) * by for side, by in zip(sorted_middle(look), scale, strict=True)]
    most = _SIDE_SCARCE if look.ndim == 2 and _scarce(look) else _SIDE[look.ndim]
    window = [max(stride, min(most, ceil(side / stride) * stride)) for side in middle]
    reason = f"images are about {' x '.join(f'{side:.0f}' for side in middle)} pixels as the network sees them"
    if most == _SIDE_SCARCE:
        reason += f"; no more than {most}, of which a rare class fills a larger part"
    if name == "unet" and settings.get("padding") != "valid":  # known without building it
        return window, reason
    built = _built(name, settings, heads)
    if built.pads_inside:
        return window, reason
    return _valid_window(window, built), f"{reason}; what the network gives, which pads nothing"


def _built(name: str, settings: Mapping[str, Any], heads: Sequence[Head]) -> Network:
    from microtome.networks.catalogue import build, without_download

    outputs = {head.name: len(head.layers) for head in heads}
    return build(name, channels_in=1, outputs=outputs, place="network", **without_download(settings))


def _valid_window(window: Sequence[int], built: Network) -> list[int]:
    """The nearest sides at or below that a network without padding gives; its least ones where there are none."""
    frame = 2 * built.margin
    given = [[legal - frame for legal in built.sizes.near(side + frame) if legal > frame] for side in window]
    return [found[0] if found else built.sizes.at_least(frame + 1) - frame for found in given]


def sorted_middle(look: Look) -> list[float]:
    """The median length of each axis."""
    return [float(sorted(column)[len(column) // 2]) for column in look.shapes.T]


def _batch(window: list[int], accelerated: bool, processes: int) -> Settled:
    pixels = (4 if accelerated else 1) * (1 << 18)
    batch = max(2, min(32 if accelerated else 16, pixels // prod(window)))
    shared = "" if processes == 1 else f", a part for each of {processes} processes"
    batch = ceil(batch / processes) * processes
    return batch, f"about {batch * prod(window) / 1e6:.2g} million pixels at once{shared}"


def _loss(heads: Sequence[Head], look: Look, target: str) -> Settled:
    """Of one head a list, of several a list each."""
    if target == "classes" and _scarce(look):
        return _loss_of_scarce(look)
    each = {head.name: list(_LOSSES[head.activation]) for head in heads}
    reason = "; ".join(dict.fromkeys(_WHY[head.activation] for head in heads))
    return (next(iter(each.values())) if len(each) == 1 else each), reason


def _loss_of_scarce(look: Look) -> Settled:
    """Weights as the root of what would make all classes equal: with none a network learns to say background, and stays there."""
    taught = [entry for entry in look.classes if entry.role != "ignore"]
    weights = np.sqrt(balanced([look.shares.get(entry.value, 0.0) for entry in taught]))
    weights[weights == 0] = weights.max()  # not met here: it may be among what is added, or in another fold
    behind = np.array([entry.role == "background" for entry in taught])
    weights[behind] = np.minimum(weights[behind], weights[~behind].min())
    crossed = {"cross_entropy": {"class_weights": [float(f"{one:.3g}") for one in weights]}}
    overlap = {"dice": {"background": False}} if taught[0].role == "background" else "dice"
    return [crossed, overlap], "a rare pixel counts more than a common one, and each class by its overlap"


def _scarce(look: Look) -> bool:
    """Whether some class is lost among the others; of many classes one is always rare."""
    taught = sum(entry.role not in ("background", "ignore") for entry in look.classes)
    return look.kind == "semantic" and _rarest(look) < _SCARCE * min(1.0, _SCARCE_OF / max(1, taught))


def _rarest(look: Look) -> float:
    """The share of the rarest class; a few pixels may be a slip of the pen, and the background is no class."""
    behind = look.classes.values("background")
    return min((share for value, share in look.shares.items() if value not in behind and share * look.pixels >= _SLIP), default=1.0)


def _oriented(look: Look, given: bool) -> Settled:
    if given:
        return False, "augment says what is done to windows"
    grain, why = have_grain(look.grains)
    return "grain" if grain else False, why


def _augment(channels: int, window: list[int], content: tuple[Content, str], oriented: bool | Literal["grain"]) -> Settled:
    chain = default_chain(channels=channels, window=window, content=content[0] if channels > 1 else "grey", oriented=oriented)
    return [one.step for one in chain], f"{content[0]} pictures ({content[1]}){', hardly turned' if oriented else ''}"


def _optimiser(batch: int, *, scarce: bool) -> Settled:
    if scarce and batch >= 8:
        rate, why = 0.005, "a high rate, since rare classes are learned late"
    else:
        rate, why = 0.002 if batch >= 8 else 0.0015, f"the rate goes with batches of {batch}"
    return {"adamw": {"rate": rate, "weight_decay": 0.01}}, f"Adam with decoupled decay; {why}"


def _sampling(look: Look, scale: tuple[float, ...], window: list[int], batch: int) -> Settled:
    windows = ceil(max(look.images, look.pixels * prod(scale) / prod(window)) / batch) * batch
    rarest = _rarest(look)
    rare = 0.5 if rarest < 0.02 else 1 / 3
    return {"rare": rare, "windows": windows}, f"an epoch sees every image about once; the rarest class has {rarest:.2%} of the pixels"


def _budget(recipe: TrainingRecipe, sampling: Mapping[str, Any], batch: int) -> tuple[dict[str, Any], str]:
    budget = recipe.budget.model_dump()
    given = [key for key, value in budget.items() if value is not None]
    if len(given) > 1:
        raise RecipeError(f"budget: {' and '.join(given)} are given; one of time, epochs and steps settles how long training goes on")
    if given:
        return budget, "as you said"
    epochs = max(_FEWEST_EPOCHS, ceil(_STEPS * batch / int(sampling.get("windows") or _STEPS * batch)))
    return {**budget, "epochs": float(epochs)}, f"about {_STEPS} steps, and at least {_FEWEST_EPOCHS} times through the data"
