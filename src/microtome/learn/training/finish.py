"""The end of a run: the best weights, their temperatures and decoding fitted to the held-out images, written as a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from torch import nn

from microtome.core.raster import Image, InstanceMap, ScoreMap
from microtome.io.whole import whole_file
from microtome.learn.calibrate.counts import fit_count_interval
from microtome.learn.calibrate.reliability import RELIABILITY, reliability_picture
from microtome.learn.training.calibration import Temperatures, fit_temperatures
from microtome.learn.training.carry import Trained, write_model
from microtome.learn.training.cases import spread_within
from microtome.learn.training.decoding import fit_decoding
from microtome.learn.training.loop import Loop
from microtome.learn.training.run import Run
from microtome.learn.training.validate import Case, Mask, Validator
from microtome.learn.training.windows import scores_of
from microtome.networks.network import Network
from microtome.run import catalogue

__all__ = ["finish"]

_CUT = "split_touching"
_WORTH = 0.003  # of the score: less is chance, and every step more is one more to explain
_FITTED = 1 << 25  # pixels of held-out images that decoding is fitted to: each is decoded dozens of times


@dataclass(frozen=True)
class _Decoding:
    """What makes a mask of scores: the decoder's settings, and the steps behind it."""

    settings: dict[str, Any]
    refine: list[Any]


def finish(run: Run, loop: Loop) -> tuple[float, Path]:
    """Fit the temperature and then the decoding to the held-out images, and write the model.

    Returns
    -------
    score : float
        Of the held-out images, all of them.
    path : Path
        ``model.zip`` in the run's folder.
    """
    validator = run.validator()
    network = loop.best()
    temperatures = _temperatures(run, network)
    tempered = temperatures.applied(network)
    decoding, kept = _fitted(run, validator, tempered)
    score, counts = _judged(run, replace(validator, refine=decoding.refine), tempered, decoding, kept)
    own = cast(Network, network.cpu().float())
    trained = Trained(
        run.objective_of(own), own, {run.network_name: run.network_settings}, run.recipe.prepare or [], run.windows,
        run.target.decode.name, decoding.settings, decoding.refine, _facts(run, score, loop) | temperatures.facts() | counts,
        _card(run, score), _about(run), temperatures.setting(run.heads), run.recipe.channel,
    )  # fmt: skip
    return score, write_model(run.folder / "model.zip", trained, run.source.held[0].image)


def _temperatures(run: Run, network: nn.Module) -> Temperatures:
    """Fitted to held-out images at the network's own scale, where they are what it was taught; and drawn."""
    windows = replace(run.windows, scale=1.0)

    def scores(asked: nn.Module, image: Image) -> ScoreMap:
        return scores_of(run.objective, asked, image, windows, run.precision, run.crew.device)

    held = run.source.held
    found = fit_temperatures(network, len(held), lambda number: run.prepare(held[number]), scores, run.heads, run.target, run.look.classes)
    if found.found:
        with whole_file(run.folder / RELIABILITY) as temporary:
            temporary.write_text(reliability_picture(found.found), encoding="utf-8", newline="\n")
    return found


def _fitted(run: Run, validator: Validator, network: nn.Module) -> tuple[_Decoding, dict[int, ScoreMap]]:
    """Decoding fitted to the held-out images, to some of them where they are many; and the scores of these images.

    Objects are also cut at their necks where that helps: a network that has seen few of them joins what touches.
    """
    cases = {number: run.cases[number] for number in spread_within(run.source.held.pixels, _FITTED)}
    kept = {number: validator.scores(network, case) for number, case in cases.items()}

    def score(settings: Mapping[str, Any], refine: Sequence[Any]) -> float:
        own = replace(validator, refine=refine)
        pairs = ((own.mask(kept[number], **settings), case) for number, case in cases.items())
        return own.judge(pairs).scores.get(validator.metric, 0.0)

    refine = list(run.recipe.refine or [])
    fitted = fit_decoding(run.target.decode, run.decoding(), lambda settings: score(settings, refine))
    if run.look.kind == "semantic":
        return _Decoding(fitted.settings, refine), kept

    def cut(settings: Mapping[str, Any]) -> list[Any]:
        place = 1 if refine[:1] == ["fill_holes"] else 0
        return [*refine[:place], {_CUT: dict(settings)}, *refine[place:]]

    best = fit_decoding(catalogue.load(_CUT), {}, lambda settings: score(fitted.settings, cut(settings)), rounds=1)
    helps = best.after >= fitted.after + _WORTH
    return _Decoding(fitted.settings, cut(best.settings) if helps else refine), kept


def _judged(
    run: Run, validator: Validator, network: nn.Module, decoding: _Decoding, kept: Mapping[int, ScoreMap]
) -> tuple[float, dict[str, Any]]:
    """The score of all held-out images; and how sure numbers of objects are, where enough images were held out to say."""
    found, true = [], []

    def segmented() -> Iterator[tuple[Mask, Case]]:
        for number, case in enumerate(run.cases):
            mask = validator.mask(kept[number] if number in kept else validator.scores(network, case), **decoding.settings)
            if isinstance(mask, InstanceMap) and isinstance(case.truth, InstanceMap):
                found.append(len(mask))
                true.append(len(case.truth))
            yield mask, case

    score = validator.judge(segmented()).scores.get(validator.metric, 0.0)
    interval = fit_count_interval(found, true, run.source.held.dataset.groups()) if run.look.kind == "instance" else None
    return score, interval.facts() if interval is not None else {}


def _facts(run: Run, score: float, loop: Loop) -> dict[str, Any]:
    look = run.look
    facts: dict[str, Any] = {
        "images": look.images, "held_out": len(run.cases), "steps": loop.state.step,
        "best_step": loop.state.best_step, str(run.recipe.validation.metric): round(score, 4),
        "target": {run.target.name: dict(run.target.settings)},
        "classes": [{"value": entry.value, "name": entry.name, "role": entry.role} for entry in look.classes],
    }  # fmt: skip
    if look.spacing is not None:
        facts |= {"spacing": list(look.spacing), "unit": look.unit}
    if len(look.diameters):
        facts |= {"diameter": round(look.diameter(50), 2), "diameter_range": [round(look.diameter(5), 2), round(look.diameter(95), 2)]}
    return facts


def _about(run: Run) -> str:
    return f"{run.network_name}, trained on {run.look.images} images with {', '.join(entry.name for entry in run.look.classes)}"


def _card(run: Run, score: float) -> str:
    look = run.look
    kind = "objects" if look.kind == "instance" else "classes"
    learned, judged = (set(part.dataset.groups()) for part in (run.source.train, run.source.held))
    apart = ", of other groups," if learned.isdisjoint(judged) else ""
    return (
        f"# {_about(run)}\n\n"
        f"Trained by Microtome on {look.images} labelled images in {look.groups} groups; {len(run.cases)} further images{apart} "
        f"decided which weights were kept and how scores are decoded. On these {run.recipe.validation.metric} is {score:.3f}: it was "
        f"chosen by them, so images that had no part in it will score a little lower.\n\n"
        f"Labels: {kind}. Whoever passes this model on should say here where the images come from and under which licence.\n"
    )
