"""The models of all folds together: every image judged by the one that did not see it, and all of them as one bundle."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import exp, isfinite, log, nan
from pathlib import Path
from typing import Any

from microtome.core.classes import ClassTable
from microtome.core.errors import RunError
from microtome.core.events import collect_warnings, warn
from microtome.core.raster import Image, InstanceMap, ScoreMap
from microtome.core.result import Sample
from microtome.learn.calibrate.counts import fit_count_interval
from microtome.learn.evaluate.intervals import intervals
from microtome.learn.training.cases import spread_within
from microtome.learn.training.decoding import fit_decoding
from microtome.learn.training.look import Look, look_at
from microtome.learn.training.prepare import done
from microtome.learn.training.samples import Samples
from microtome.learn.training.validate import SHOWN, Mask
from microtome.measure.metrics.bootstrap import Interval
from microtome.measure.metrics.definitions import Task, choose
from microtome.measure.metrics.evaluate import pool, score
from microtome.measure.metrics.pair import Score
from microtome.run import catalogue
from microtome.run.bundle import Bundle, example_of, open_bundle, write_bundle
from microtome.run.bundle_file import ARCHITECTURE, WEIGHTS, read_beside, read_member, split_member

__all__ = ["Judged", "Pooled", "pooled", "write_ensemble"]

_FITTED = 1 << 25  # pixels that decoding is fitted to: each is decoded dozens of times
_OWN = ("weights", "sha256", "temperature")  # settings of the step `network` that each fold has of its own


@dataclass(frozen=True)
class Judged:
    """One image.

    Attributes
    ----------
    name, group : str
    fold : int
        That it was held out in.
    score : float or None
        The deciding metric; None where it does not exist.
    found, true : int or None
        Objects.
    """

    name: str
    group: str
    fold: int
    score: float | None
    found: int | None = None
    true: int | None = None


@dataclass(frozen=True)
class Pooled:
    """All images, each judged by the model that did not see it.

    Attributes
    ----------
    metric : str
        The deciding one.
    scores : mapping of str to Interval
        Over all images, with 95 % intervals: groups are drawn again and again (`microtome.learn.evaluate.intervals`).
    images : tuple of Judged
    settings : mapping
        Of decoding, fitted to the scores of all folds together.
    look : Look
        At all images.
    """

    metric: str
    scores: Mapping[str, Interval]
    images: tuple[Judged, ...]
    settings: Mapping[str, Any]
    look: Look


def pooled(
    models: Sequence[Path], held: Sequence[Samples], metric: str, *, classes: ClassTable, stop: Callable[[], bool] = lambda: False
) -> Pooled | None:
    """Fit one decoding to what the models say of the images they did not see, and judge every image by it.

    Parameters
    ----------
    models : sequence of Path
        The bundle of each fold.
    held : sequence of Samples
        The images each fold held out. What cannot be read is left out, which a warning tells.
    metric : str
        What is fitted to.
    classes : ClassTable
        Of the data set.
    stop : function
        Asked before each image.

    Returns
    -------
    Pooled or None
        None where it was asked to stop. Where images are many, decoding is fitted to as many of them, spread over all folds, as have
        about 33 million pixels.

    Raises
    ------
    RunError
        If the models do not prepare and decode images alike, so that they cannot be one.
    """
    look = look_at(chain.from_iterable(part.first_reading() for part in held), classes)
    for message in chain.from_iterable(part.dropped for part in held):
        warn(f"not scored: {message}")
    bundles = [open_bundle(path) for path in models]
    _check_alike(bundles)
    _, decode, *after = bundles[0].recipe.steps[_place(bundles[0]) :]
    step, refine = catalogue.load(decode.step), [use.document() for use in after]
    task: Task = "instance" if look.kind == "instance" else "semantic"
    keys = choose([metric, *SHOWN[task]], task)
    chosen = [set(spread_within(part.pixels, _FITTED // len(held))) for part in held]
    kept: dict[tuple[int, int], ScoreMap] = {}
    for fold, part in enumerate(held):
        for number in sorted(chosen[fold]):
            if stop():
                return None
            kept[fold, number] = _said(bundles[fold], part[number].image)

    truths = {(fold, number): held[fold][number].truth for fold, number in kept}

    def fitness(settings: Mapping[str, Any]) -> float:
        with collect_warnings():
            masks = ((place, done(step(said, **settings), refine)) for place, said in kept.items())
            return pool([score(mask, truths[place], task=task, metrics=keys) for place, mask in masks]).get(metric, 0.0)

    fitted = fit_decoding(step, dict(decode.settings), fitness)
    scores, images = [], []
    for fold, part in enumerate(held):
        for number, sample in enumerate(part):
            if stop():
                return None
            with collect_warnings():
                said = kept[fold, number] if (fold, number) in kept else _said(bundles[fold], sample.image)
                mask: Mask = done(step(said, **fitted.settings), refine)
                scores.append(score(mask, sample.truth, task=task, metrics=keys))
                images.append(_judged(sample, fold + 1, mask, scores[-1], metric))
    with collect_warnings():
        found = intervals(scores, [one.group for one in images])
    return Pooled(metric, found, tuple(images), fitted.settings, look)


def _said(bundle: Bundle, image: Image) -> ScoreMap:
    """What a bundle's network says of an image."""
    steps: list[Any] = [use.document() for use in bundle.recipe.steps[: _place(bundle) + 1]]
    with collect_warnings():
        scores: ScoreMap = done(image, steps)  # type: ignore[assignment]
    return scores


def _place(bundle: Bundle) -> int:
    """The number of its network's step."""
    return next(number for number, use in enumerate(bundle.recipe.steps) if use.step == "network")


def _judged(sample: Sample, fold: int, mask: Mask, one: Score, metric: str) -> Judged:
    alone = one.values.get(metric, pool([one]).get(metric, nan))
    counts = (len(mask), len(sample.truth)) if isinstance(mask, InstanceMap) and isinstance(sample.truth, InstanceMap) else (None, None)
    return Judged(sample.name, sample.group or sample.name, fold, round(alone, 6) if isfinite(alone) else None, *counts)


def _check_alike(bundles: Sequence[Bundle]) -> None:
    lines = [_line(bundle) for bundle in bundles]
    for bundle, line in zip(bundles, lines, strict=True):
        if line != lines[0]:
            raise RunError(f"{bundle.path}: prepares images or cuts windows in another way than {bundles[0].path}, so they cannot be one "
                           "model; train both folds by one recipe")  # fmt: skip


def _line(bundle: Bundle) -> list[Any]:
    """The steps up to decoding, without the settings that each fold has of its own: those of decoding, and which network it is. What
    follows decoding is the first fold's for all."""
    place = _place(bundle)
    return [(use.step, {key: value for key, value in use.settings.items() if number != place + 1 and not (number == place and key in _OWN)})
            for number, use in enumerate(bundle.recipe.steps[: place + 2])]  # fmt: skip


def write_ensemble(path: Path, models: Sequence[Path], found: Pooled) -> Path:
    """Write the networks of several bundles as one, whose scores are the mean of theirs.

    Parameters
    ----------
    path : Path
    models : sequence of Path
        The bundle of each fold; the first one's example comes along.
    found : Pooled
        Its settings decode.

    Returns
    -------
    Path

    Notes
    -----
    The probabilities of the networks are averaged, each computed with the geometric mean of the temperatures of all.
    """
    bundles = [open_bundle(model) for model in models]
    names = [f"fold-{number}" for number in range(1, len(bundles) + 1)]
    places = {name: _network_of(bundle) for name, bundle in zip(names, bundles, strict=True)}
    networks = {name: read_member(*split_member(place)) for name, place in places.items()}
    weights = {name: read_beside(place, WEIGHTS) for name, place in places.items()}
    built = {name: json.loads(read_beside(place, ARCHITECTURE)) for name, place in places.items()}
    recipe, facts = _recipe(bundles, names, found), _facts(bundles[0], len(bundles), found)
    with tempfile.TemporaryDirectory(prefix="microtome-") as folder, collect_warnings():
        first = write_bundle(Path(folder) / "model.zip", recipe, networks, card=" ", facts=facts)
        example = example_of(bundles[0], open_bundle(first).recipe)
    return write_bundle(path, recipe, networks, card=_card(len(bundles), found), facts=facts, weights=weights, architectures=built,
                        example=example)  # fmt: skip


def _network_of(bundle: Bundle) -> str:
    weights = bundle.recipe.steps[_place(bundle)].settings["weights"]
    return str(weights[0] if isinstance(weights, list) else weights)


def _recipe(bundles: Sequence[Bundle], names: Sequence[str], found: Pooled) -> dict[str, Any]:
    first = bundles[0].recipe
    place = _place(bundles[0])
    before, after = ([use.document() for use in steps] for steps in (first.steps[:place], first.steps[place + 2 :]))
    settings: dict[str, Any] = {key: value for key, value in first.steps[place].settings.items() if key not in _OWN}
    temperature = _mean_temperature([bundle.recipe.steps[_place(bundle)].settings.get("temperature", 1.0) for bundle in bundles])
    settings |= {"weights": list(names)} | ({} if temperature == 1 else {"temperature": temperature})
    facts = bundles[0].facts
    classes = ", ".join(str(entry["name"]) for entry in facts["classes"])
    about = f"{len(bundles)} networks ({next(iter(facts['network']))}), trained on parts of {found.look.images} images with {classes}"
    steps = [*before, {"network": settings}, {first.steps[place + 1].step: dict(found.settings)}, *after]
    given = {} if first.input.channel is None else {"input": {"channel": first.input.channel}}
    return {"microtome": 1, "about": about, **given, "steps": steps}


def _mean_temperature(each: Sequence[Any]) -> float | list[float]:
    """The geometric mean of each output's, a number where there is one for all."""
    outputs = max((len(one) for one in each if isinstance(one, list)), default=1)
    rows = [one if isinstance(one, list) else [one] * outputs for one in each]
    means = [round(exp(sum(log(float(row[k])) for row in rows) / len(rows)), 4) for k in range(outputs)]
    return means[0] if len(set(means)) == 1 else means


def _facts(first: Bundle, count: int, found: Pooled) -> dict[str, Any]:
    """The first fold's, where they hold for all; what is known of all images instead of its own."""
    own = {key: first.facts[key] for key in ("target", "classes", "network", "tolerance") if key in first.facts}
    interval, look = found.scores[found.metric], found.look
    bounds = {} if interval.low is None or interval.high is None else {"interval": [round(interval.low, 4), round(interval.high, 4)]}
    facts = {"images": look.images, "groups": look.groups, "folds": count, found.metric: round(interval.mean, 4), **bounds, **own}
    if look.spacing is not None:
        facts |= {"spacing": list(look.spacing), "unit": look.unit}
    if len(look.diameters):
        facts |= {"diameter": round(look.diameter(50), 2), "diameter_range": [round(look.diameter(5), 2), round(look.diameter(95), 2)]}
    return facts | _count_facts(found.images)


def _count_facts(images: Sequence[Judged]) -> dict[str, Any]:
    """How sure numbers of objects are; nothing where there are none, or too few groups to say."""
    counted = [(one.found, one.true, one.group) for one in images if one.found is not None and one.true is not None]
    interval = fit_count_interval(*zip(*counted, strict=True)) if counted else None
    return interval.facts() if interval is not None else {}


def _card(count: int, found: Pooled) -> str:
    look, interval = found.look, found.scores[found.metric]
    known = "" if interval.low is None else f" (95 % interval {interval.low:.3f} to {interval.high:.3f}, groups drawn again and again)"
    return "\n\n".join([
        f"# {count} networks as one",
        f"Trained by Microtome on {look.images} labelled images in {look.groups} groups, divided by group into {count} parts: each network "
        f"learned from all parts but one. Their mean decides, so this takes {count} times as long as one of them.",
        f"Each image was judged by the network that did not see it. Over all of them {found.metric} is {interval.mean:.3f}{known}. "
        "Decoding was fitted to these scores, all together, and each part chose its network's step: images that had no part in this may "
        "score a little lower. The mean of all networks usually scores a little higher than one of them; how much cannot be known from "
        "these images, which most of the networks have seen.",
        f"Labels: {'objects' if look.kind == 'instance' else 'classes'}. Whoever passes this model on should say here where the images "
        "come from and under which licence.",
    ])  # fmt: skip
