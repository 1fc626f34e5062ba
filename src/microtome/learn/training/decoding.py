"""The settings of decoding, fitted to held-out images: each setting in turn, on scores that are computed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from microtome.core.step import Step

__all__ = ["Fitted", "fit_decoding"]

_VALUES = 7


@dataclass(frozen=True)
class Fitted:
    """Settings, and the score with the ones they began from and with them."""

    settings: dict[str, Any]
    before: float
    after: float
    tried: int


def fit_decoding(decode: Step, start: Mapping[str, Any], score: Callable[[Mapping[str, Any]], float], *, rounds: int = 2) -> Fitted:
    """Look for settings of a decoder, or of another step, with a higher score.

    Parameters
    ----------
    decode : Step
        Its settings with a range worth searching are tried, one after the other, twice round: seven values across the range, then seven
        about the best of them.
    start : mapping
        The settings to begin from, and to keep where none is better.
    score : function
        From settings to a number, higher is better.
    rounds : int

    Returns
    -------
    Fitted
        Among equal scores the middle one of neighbouring values is taken, so that it does not stand at an edge.
    """
    settings = dict(start)
    before = best = score(settings)
    tried = 1
    for turn in range(rounds):
        for name, low, high, whole in _searched(decode):
            now = float(settings.get(name, decode.settings[name].default))
            if turn:
                reach = (high - low) / (_VALUES - 1)
                low, high = max(low, now - reach), min(high, now + reach)
            values = _between(low, high, whole)
            scores = [score({**settings, name: value}) for value in values]
            tried += len(values)
            if max(scores) > best:
                best = max(scores)
                settings[name] = _middle_of_best(values, scores)
    return Fitted(settings, before, best, tried)


def _searched(decode: Step) -> list[tuple[str, float, float, bool]]:
    found = []
    for name, setting in decode.settings.items():
        search = getattr(setting.bounds, "search", None)
        if search is not None and isinstance(setting.default, (int, float)) and not isinstance(setting.default, bool):
            found.append((name, float(search[0]), float(search[1]), isinstance(setting.default, int)))
    return found


def _between(low: float, high: float, whole: bool) -> list[float]:
    values = [low + (high - low) * k / (_VALUES - 1) for k in range(_VALUES)]
    return sorted({round(value) for value in values}) if whole else [round(value, 4) for value in values]


def _middle_of_best(values: Sequence[float], scores: Sequence[float]) -> float:
    best = max(scores)
    first = scores.index(best)
    last = first
    while last + 1 < len(scores) and scores[last + 1] == best:
        last += 1
    return values[(first + last) // 2]
