"""Look at every pair of a data set, and say what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType

from microtome.core.errors import RunError
from microtome.core.kernels.bands import threads
from microtome.learn.data.dataset import Dataset, Entry
from microtome.learn.data.doctor.facts import ImageFacts, PairFacts, pair_facts
from microtome.learn.data.doctor.raw import relative
from microtome.learn.data.doctor.summary import Summary, summarise
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.problem import Problem

__all__ = ["Checkup", "check", "diagnose", "examine", "judge"]

_FEW = 24


@dataclass(frozen=True, eq=False)
class Checkup:
    """What the examination found.

    Attributes
    ----------
    survey : Survey
        The data set and the facts of its pairs.
    findings : tuple of Problem
        Problems first, then notes; each kind together.
    summary : Summary
        Counts, sizes and shares of what is not at fault.
    menders : mapping of str to module
        The fault with a `mend`, by the kinds of problem that it found.
    """

    survey: Survey
    findings: tuple[Problem, ...]
    summary: Summary
    menders: Mapping[str, ModuleType] = field(default_factory=dict)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What should not be so."""
        return tuple(finding for finding in self.findings if finding.severity == "problem")

    @property
    def notes(self) -> tuple[Problem, ...]:
        """What is worth knowing and may be meant so."""
        return tuple(finding for finding in self.findings if finding.severity == "note")


def check(dataset: Dataset) -> Checkup:
    """Examine a data set.

    Parameters
    ----------
    dataset : Dataset
        From `find_dataset`.

    Returns
    -------
    Checkup

    Examples
    --------
    >>> import tempfile
    >>> import cv2
    >>> from microtome.learn.data.find import find_dataset
    >>> root = Path(tempfile.mkdtemp())
    >>> for name in ("images", "masks"):
    ...     (root / name).mkdir()
    >>> image = np.arange(4096, dtype=np.uint8).reshape(64, 64)
    >>> _ = cv2.imwrite(str(root / "images" / "a.png"), image), cv2.imwrite(str(root / "masks" / "a.png"), 255 * (image > 99))
    >>> [(problem.kind, problem.values) for problem in check(find_dataset(root, kind="semantic")).problems]
    [('mask-0-255', (0, 255))]
    """
    return judge(dataset, examine(dataset))


def examine(dataset: Dataset) -> Iterator[PairFacts]:
    """Look at each pair, several at a time in processes of their own where there are many; in the order they are finished."""
    look = partial(pair_facts, dataset.root, dict(dataset.colours))
    workers = min(threads(), len(dataset) // 8)
    if len(dataset) <= _FEW or workers < 2:
        yield from map(look, dataset)
        return
    from microtome.run.executors.processes import processes

    for _, facts in processes(look, dataset, workers=workers, failed=partial(_killed, dataset.root)):
        yield facts


def _killed(root: Path, entry: Entry, error: RunError) -> PairFacts:
    return PairFacts(entry.name, entry.split, entry.group, ImageFacts(relative(entry.images[0], root), str(error)))


def judge(dataset: Dataset, facts: Iterable[PairFacts]) -> Checkup:
    """Find the faults that facts show.

    Parameters
    ----------
    dataset : Dataset
    facts : iterable of PairFacts
        Of all its entries, in any order.
    """
    by_name = {pair.name: pair for pair in facts}
    survey = Survey(dataset, tuple(by_name[entry.name] for entry in dataset))
    diagnosed = [*diagnose(survey)]
    found = [*dataset.problems, *(problem for _, problem in diagnosed)]
    firsts = {problem.kind: place for place, problem in reversed([*enumerate(found)])}
    found.sort(key=lambda problem: (problem.severity != "problem", firsts[problem.kind]))
    menders = {problem.kind: fault for fault, problem in diagnosed if problem.fixable}
    return Checkup(survey, tuple(found), summarise(survey.but(_meaningless(diagnosed))), menders)


def _meaningless(diagnosed: Iterable[tuple[ModuleType, Problem]]) -> frozenset[str]:
    """Files whose values say nothing of classes and objects."""
    from microtome.learn.data.doctor import faults

    first = (*faults.FILES, *faults.PIXELS, *faults.IDS)
    return _files(problem for fault, problem in diagnosed if fault in first)


def diagnose(survey: Survey) -> Iterator[tuple[ModuleType, Problem]]:
    """Every problem with the fault that found it. What makes a file's values meaningless keeps it out of the questions after that."""
    from microtome.learn.data.doctor import faults

    for stage in (faults.FILES, faults.PIXELS):
        found = [(fault, problem) for fault in stage for problem in fault.find(survey)]
        yield from found
        survey = survey.but(_files(problem for _, problem in found))
    ids = [(fault, problem) for fault in faults.IDS for problem in fault.find(survey)]
    yield from ids
    right = survey.but(_files(problem for _, problem in ids))
    # classes under wrong numbers still have their shape; objects have not
    shapes = right if survey.kind == "instance" else survey
    yield from ((fault, problem) for fault in faults.OBJECTS for problem in fault.find(shapes))
    yield from ((fault, problem) for fault in faults.SET for problem in fault.find(right))


def _files(problems: Iterable[Problem]) -> frozenset[str]:
    return frozenset(problem.file for problem in problems if problem.severity == "problem")
