"""The held-out images of a run: made when their turn comes, and held where their samples are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from microtome.learn.training.prepare import StepDocument, prepared
from microtome.learn.training.samples import Samples
from microtome.learn.training.validate import Case

__all__ = ["HeldOut", "spread_within"]


class HeldOut:
    """Held-out images, prepared in their own pixels.

    Parameters
    ----------
    samples : Samples
    steps : sequence
        Of the recipe's `prepare`.
    """

    def __init__(self, samples: Samples, steps: Sequence[StepDocument]) -> None:
        self.samples, self.steps = samples, steps

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, number: int) -> Case:
        """One case.

        Raises
        ------
        RunError
            If its files can no longer be read.
        """
        return self._held[number] if self.samples.held is not None else self._made(number)

    def __iter__(self) -> Iterator[Case]:
        return (self[number] for number in range(len(self)))

    @cached_property
    def _held(self) -> tuple[Case, ...]:
        return tuple(map(self._made, range(len(self))))

    def _made(self, number: int) -> Case:
        sample = self.samples[number]
        return Case(sample.name, sample.image, prepared(sample.image, self.steps), sample.truth)


def spread_within(sizes: Sequence[int], limit: int) -> tuple[int, ...]:
    """The numbers of as many items as `limit` holds, spread evenly over all of them; at least one.

    Examples
    --------
    >>> spread_within([10, 10, 10, 10], 20), spread_within([10, 10, 10, 10], 40), spread_within([10], 5)
    ((0, 2), (0, 1, 2, 3), (0,))
    """
    most = len(sizes) if sum(sizes) <= limit else min(len(sizes), 2 * int(len(sizes) * limit / sum(sizes)))
    for count in range(most, 1, -1):
        chosen = tuple(k * len(sizes) // count for k in range(count))
        if sum(sizes[k] for k in chosen) <= limit:
            return chosen
    return (0,) if sizes else ()
