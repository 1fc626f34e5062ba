"""The one loop: images in, events out. Faces read the events; nothing else is shared with them."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import microtome
from microtome.core.errors import InputError, RecipeError, did_you_mean
from microtome.core.events import Done, Event, Failed, Progress, Started, Warned
from microtome.core.raster import Image
from microtome.core.result import Result
from microtome.run import journal, outputs
from microtome.run.bundle_file import read_member, sha256, split_member
from microtome.run.count_interval import CountInterval
from microtome.run.engines.choose import Choice, settle
from microtome.run.execute import execute, up_to
from microtome.run.executors.processes import processes
from microtome.run.executors.serial import serial
from microtome.run.graph import Plan, plan
from microtome.run.recipe import Recipe
from microtome.run.shipped import find_recipe
from microtome.run.trained_size import TrainedSize
from microtome.run.worker import Job, Order, could_not, file_hash, process, read_image

__all__ = ["EXECUTORS", "run", "segment"]

EXECUTORS = ("serial", "processes")
MANY = 16


def segment(
    image: Image | np.ndarray[Any, Any] | str | Path, recipe: Recipe | str, *, explain: bool = False, engine: str | None = None
) -> Result:
    """Segment one image.

    Parameters
    ----------
    image : Image, 2-D array or path
    recipe : Recipe or str
        A recipe, or the name of a shipped one.
    explain : bool
        Also gather what the steps explain.
    engine : str, optional
        What computes networks, as for `run`.

    Returns
    -------
    Result
        ``result.mask``, ``result.masks``, ``result.objects`` (a Table), ``result.warnings``, ``result.timings``.

    Raises
    ------
    InputError
        If the image cannot be read or segmented.

    Examples
    --------
    >>> import numpy as np
    >>> disc = np.hypot(*np.ogrid[-20:21, -20:21]) < 10
    >>> result = segment((disc * 200).astype(np.uint8), Recipe.of("otsu", "connected_components"))
    >>> result.objects["area_px"].tolist()
    [305]
    """
    recipe, _ = settle(recipe if isinstance(recipe, Recipe) else find_recipe(recipe), engine)
    source = Path(image) if isinstance(image, (str, Path)) else image if isinstance(image, Image) else Image(image)
    name = source.name if isinstance(source, Path) else Path(source.source).name or "image"
    chain, job = plan(recipe), Job(name, source)
    read = read_image(job, recipe.input)
    return execute(chain, read, name=name, summaries=_summaries(chain, recipe, [job]).get(""), explain=explain)


def run(
    recipe: Recipe | str,
    images: Sequence[str | Path | Image],
    *,
    out: str | Path | None = None,
    executor: str | None = None,
    workers: int | None = None,
    group: str | None = None,
    explain: bool = False,
    extras: Sequence[str] = (),
    overwrite: bool = False,
    resume: bool = False,
    name: str = "",
    trained: TrainedSize | None = None,
    counts: CountInterval | None = None,
    remarks: Sequence[str] = (),
    engine: str | None = None,
) -> Iterator[Event]:
    """Run a recipe over images.

    Everything that can be known beforehand is checked before this returns; what happens to each image comes as events.

    Parameters
    ----------
    recipe : Recipe or str
        A recipe, or the name of a shipped one.
    images : sequence of path, glob or Image
        Files, folders (searched through) and globs; or images.
    out : path, optional
        Where masks and tables are written. Without it each `Done` carries its masks.
    executor : "serial" or "processes", optional
        By default processes for more than `MANY` images. The results are the same bytes.
    workers : int, optional
        Worker processes; by default one a core.
    group : str, optional
        A regular expression found in each image's name; its first group, or all it matches, names the image's group.
    explain : bool
        Also gather (and write) what the steps explain.
    extras : sequence of str
        ``"colour"``: masks in colours, for any viewer; ``"scores"``: what masks were made of, and how sure each pixel is;
        ``"geojson"``, ``"imagej"``: outlines for QuPath and Fiji.
    overwrite, resume : bool
        Replace an earlier run, or go on with it: images whose input, recipe and version are the same are left alone.
    name : str
        What ``run.json`` calls the recipe.
    trained : TrainedSize, optional
        Of a bundle (`trained_size.trained_size`): images and objects of other sizes are remarked on.
    counts : CountInterval, optional
        Of a bundle (`count_interval.count_interval`): ``images.csv`` gets ``count_low`` and ``count_high``.
    remarks : sequence of str
        What there is to say of the run as a whole before it begins.
    engine : str, optional
        What computes networks: "onnxruntime", "openvino" or "torch", with a precision if wanted ("openvino:float32"), or "fastest",
        which measures them. By default the best of what is installed, by what the processor has. It is chosen once for all workers.

    Yields
    ------
    Started, Warned, Done, Failed, Progress

    Raises
    ------
    InputError, RecipeError, RunError
        At once, for inputs that do not exist, outputs that do, or two inputs with one output.
    """
    name = name or (recipe if isinstance(recipe, str) else "")
    recipe = recipe if isinstance(recipe, Recipe) else find_recipe(recipe)
    _check_choices(executor, workers, extras)
    recipe, choice = settle(recipe, engine)
    jobs, said = _jobs(images, group)
    folder = Path(out) if out is not None else None
    if folder is not None:
        jobs, left_out = _without_results(jobs, folder)
        said += left_out
        _check_names(jobs)
        outputs.prepare(folder, overwrite=overwrite, resume=resume)
    how = (executor or _executor(jobs), workers or _cores())
    loop = _Run(recipe, plan(recipe), jobs, folder, *how, group, explain, tuple(extras), name, trained, counts, choice)
    return loop.events(resume, [*remarks, *said])


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _executor(jobs: Sequence[Job]) -> str:
    return "processes" if len(jobs) > MANY and _cores() > 1 else "serial"


def _check_choices(executor: str | None, workers: int | None, extras: Sequence[str]) -> None:
    if executor is not None and executor not in EXECUTORS:
        raise RecipeError(f"executor {executor!r}{did_you_mean(executor, EXECUTORS)}")
    if workers is not None and workers < 1:
        raise RecipeError(f"workers: {workers}; there must be at least one")
    for extra in extras:
        if extra not in (*outputs.SAVES, *outputs.EXPORTS):
            raise RecipeError(f"cannot write {extra!r}{did_you_mean(extra, (*outputs.SAVES, *outputs.EXPORTS))}")


def _jobs(images: Sequence[str | Path | Image], group: str | None) -> tuple[list[Job], list[str]]:
    from microtome.io.find import find_images

    if isinstance(images, (str, Path, Image, np.ndarray)):
        images = [images]
    nouns = [Image(image) if isinstance(image, np.ndarray) else image for image in images if isinstance(image, (Image, np.ndarray))]
    jobs = _named(nouns)
    paths = [image for image in images if not isinstance(image, (Image, np.ndarray))]
    jobs += [Job(found.name, found.path) for found in find_images(paths)] if paths else []
    if group is None:
        return jobs, []
    try:
        pattern = re.compile(group)
    except re.error as error:
        raise RecipeError(f"--group {group!r} is not a regular expression: {error}") from None
    jobs = [replace(job, group=_group_of(pattern, job.name)) for job in jobs]
    lost = [job.name for job in jobs if not job.group]
    return jobs, [
        f"--group {group!r} is not found in {len(lost)} of {len(jobs)} names, the first is {lost[0]}; they have no group"
    ] if lost else []


def _named(images: Sequence[Image]) -> list[Job]:
    """Images that come without a file get a name by their number, and those of one name are told apart by it."""
    names = [Path(image.source).name or f"image {number}" for number, image in enumerate(images, 1)]
    return [
        Job(name if names.count(name) == 1 else f"{number} {name}", image)
        for number, (name, image) in enumerate(zip(names, images, strict=True), 1)
    ]


def _without_results(jobs: list[Job], out: Path) -> tuple[list[Job], list[str]]:
    """Leave out what an earlier run wrote into OUT, when OUT lies in a folder that is searched."""
    kept = [job for job in jobs if isinstance(job.source, Image) or not outputs.is_ours(out, job.source)]
    if not kept:
        raise RecipeError(f"{out}: all inputs lie where results go; choose another folder for the results")
    lost = len(jobs) - len(kept)
    return kept, [f"{lost} files in {out} are results of an earlier run and were left out"] if lost else []


def _group_of(pattern: re.Pattern[str], name: str) -> str:
    match = pattern.search(name)
    return "" if match is None else (match.group(1) or "") if pattern.groups else match.group(0)


def _check_names(jobs: Sequence[Job]) -> None:
    for names in outputs.clashes(job.name for job in jobs).values():
        raise InputError(f"{' and '.join(names)} would write the same mask; rename one, or run them into different folders")


def _hash_or_nothing(job: Job) -> str:
    try:
        return file_hash(job.source)
    except OSError:
        return ""


def _network_hashes(recipe: Recipe) -> Iterator[str]:
    """Of networks that the recipe names by their place alone: another one may lie there the next time."""
    for use in recipe.steps:
        if not use.settings.get("sha256"):
            yield from (sha256(read_member(*split_member(place))) for place in use.networks)


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]


@dataclass(frozen=True, eq=False)
class _Run:
    """One run, settled: it only has to be gone through."""

    recipe: Recipe
    plan: Plan
    jobs: list[Job]
    out: Path | None
    executor: str
    workers: int
    group: str | None
    explain: bool
    extras: tuple[str, ...]
    name: str
    trained: TrainedSize | None
    counts: CountInterval | None
    choice: Choice | None

    def events(self, resume: bool, remarks: list[str]) -> Iterator[Event]:
        """Everything that happens, in order; tables are written even when the reader stops half-way."""
        start, begun = time.perf_counter(), datetime.now(UTC)
        yield Started(len(self.jobs))
        yield from (Warned(remark) for remark in remarks)
        results: dict[str, Result] = {}
        failures: dict[str, Failed] = {}
        keys = self._keys() if self.out else {}
        try:
            kept = self._kept(keys) if resume else {}
            if self.out:
                journal.start(self.out, [*self._others(resume), *((keys[name], result) for name, result in kept.items())])
            for result in kept.values():
                results[result.name] = result
                yield Done(result.name, result, resumed=True)
            yield from self._work([job for job in self.jobs if job.name not in kept], results, failures, keys, start)
        finally:
            if self.out:
                self._write(self.out, results, failures, remarks, begun, time.perf_counter() - start)

    def _work(
        self, jobs: list[Job], results: dict[str, Result], failures: dict[str, Failed], keys: Mapping[str, str], start: float
    ) -> Iterator[Event]:
        summaries = _summaries(self.plan, self.recipe, self.jobs) if jobs else {}
        order = Order(self.recipe.document(), self.out, self.extras, self.explain, summaries, self.trained, self.counts)
        for job, event in self._execute(partial(process, order), jobs):
            if isinstance(event, Done):
                results[job.name] = event.result
                if self.out:
                    journal.append(self.out, event.result, keys[job.name])
                yield from (Warned(message, job.name) for message in event.result.warnings)
            else:
                failures[job.name] = event
            yield event
            yield Progress(len(results) + len(failures), len(self.jobs), time.perf_counter() - start)

    def _execute(self, work: Any, jobs: list[Job]) -> Iterator[tuple[Job, Done | Failed]]:
        if self.executor == "processes" and len(jobs) > 1:
            yield from processes(work, jobs, workers=min(self.workers, len(jobs)), failed=could_not)
        else:
            yield from serial(work, jobs)

    def _keys(self) -> dict[str, str]:
        """For each image what is equal for an equal input, recipe, version and wish; empty when the input cannot be read."""
        hashes = {job.name: _hash_or_nothing(job) for job in self.jobs}
        # A decision over several images depends on all of them.
        company = "" if all(node.over == "image" for node in self.plan.nodes) else "".join(sorted(hashes.values()))
        wish: tuple[object, ...] = (self.recipe.fingerprint(), microtome.__version__, self.explain, *self.extras, company)
        wish += tuple(told for told in (self.trained, self.counts) if told is not None)
        wish += tuple(_network_hashes(self.recipe))
        return {job.name: _digest(hashes[job.name], job.group, *wish) if hashes[job.name] else "" for job in self.jobs}

    def _others(self, resume: bool) -> list[tuple[str, Result]]:
        """What an earlier run noted of images that this one does not see: their files are still there."""
        if self.out is None or not resume:
            return []
        names = {job.name for job in self.jobs}
        return [(key, result) for key, result in journal.read(self.out) if result.name not in names]

    def _kept(self, keys: Mapping[str, str]) -> dict[str, Result]:
        if self.out is None:
            return {}
        kept = {}
        for key, result in journal.read(self.out):
            files = (*result.files.values(), *result.record.get("extras", ()))
            if key and keys.get(result.name) == key and all((self.out / file).is_file() for file in files):
                kept[result.name] = replace(result, record={**result.record, "status": "resumed"})
        return kept

    def _write(
        self, out: Path, results: Mapping[str, Result], failures: Mapping[str, Failed], remarks: list[str], begun: datetime, seconds: float
    ) -> None:
        outputs.remove_partial(out)
        done = [results[job.name] for job in self.jobs if job.name in results]
        failed = [{"image": job.name, "group": job.group, "status": "failed", "error": failures[job.name].error}
                  for job in self.jobs if job.name in failures]  # fmt: skip
        outputs.write_tables(out, done, failed, grouped=self.group is not None)
        outputs.write_run(out, {
            "microtome": microtome.__version__,
            "recipe": self.recipe.document(),
            "recipe_text": self.recipe.to_yaml(),
            "recipe_name": self.name,
            "started": begun.isoformat(timespec="seconds"),
            "seconds": round(seconds, 3),
            "complete": len(done) + len(failed) == len(self.jobs),
            "executor": self.executor,
            "workers": self.workers if self.executor == "processes" else 1,
            "engine": self.choice.record() if self.choice else None,
            "versions": outputs.versions(),
            "machine": outputs.machine(),
            "warnings": remarks,
            "group": self.group,
            "images": [self._entry(job, results, failures) for job in self.jobs],
        })  # fmt: skip

    def _entry(self, job: Job, results: Mapping[str, Result], failures: Mapping[str, Failed]) -> dict[str, Any]:
        if job.name in results:
            return dict(results[job.name].record)
        failure = failures.get(job.name)
        source = job.source.source if isinstance(job.source, Image) else str(job.source)
        return {"name": job.name, "source": source, "group": job.group, "sha256": "", "status": "failed" if failure else "not done",
                "seconds": 0.0, "timings": {}, "outputs": {}, "warnings": [], "explain": None,
                "error": failure.error if failure else None, "kind": failure.kind if failure else "",
                "details": failure.details if failure else ""}  # fmt: skip


def _summaries(chain: Plan, recipe: Recipe, jobs: Sequence[Job]) -> dict[str, dict[int, Any]]:
    """Decide what is decided over several images: for each such step, over all images or each group of them."""
    summaries: dict[str, dict[int, Any]] = {job.group: {} for job in jobs}
    for node in chain.nodes:
        if node.over == "image":
            continue
        shares = [list(summaries)] if node.over == "set" else [[group] for group in summaries]
        for groups in shares:
            members = [job for job in jobs if job.group in groups]
            looked_at = _Inputs(chain, recipe, node.number, members, summaries)
            try:
                decided = node.step.summarise(looked_at, **node.settings)
            except InputError as error:  # the last one does not go with those before it
                last = f"{looked_at.seen[-1]}: " if looked_at.seen else ""
                raise InputError(f"steps[{node.number}] {node.step.name}, over {node.over}: {last}{error}") from error
            for group in groups:
                summaries[group] = {**summaries[group], node.number: decided}
    return summaries


@dataclass(frozen=True, eq=False)
class _Inputs:
    """The inputs of one step for several images, one held at a time; can be gone through again and again."""

    chain: Plan
    recipe: Recipe
    number: int
    jobs: Sequence[Job]
    summaries: Mapping[str, Mapping[int, Any]]
    seen: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Any]:
        for job in self.jobs:
            try:
                image = read_image(job, self.recipe.input)
                value = up_to(self.chain, self.number, image, self.summaries.get(job.group, {}))
                found = self.chain.nodes[self.number].step.first_input(value)
            except Exception:  # noqa: BLE001 - told as this image's own failure when its turn comes
                continue
            self.seen.append(job.name)
            yield found
