"""How often two partitions agree on whether two pixels belong together: Rand index, its adjustment for chance, adapted Rand error."""

from __future__ import annotations

from collections.abc import Iterable

from microtome.measure.metrics.contingency import Contingency

__all__ = ["are", "ari", "rand"]


def rand(table: Contingency) -> float:
    """The share of pairs of pixels on which both sides agree: together in both, or apart in both.

    All pixels count, and each label, the background's 0 too, is one cluster. 1 with fewer than two pixels.

    References
    ----------
    W. M. Rand, Journal of the American Statistical Association 66(336), 1971, 846-850, doi:10.1080/01621459.1971.10482356.

    Examples
    --------
    >>> from microtome.measure.metrics.contingency import contingency
    >>> rand(contingency(np.array([[1, 1, 1, 1]]), np.array([[1, 1, 2, 2]])))
    0.3333333333333333
    """
    both, truth, pred, every = _pairs(table)
    return (every + 2 * both - truth - pred) / every if every else 1.0


def ari(table: Contingency) -> float:
    """The Rand index less what chance would give: 1 for equal partitions, about 0 for unrelated ones, at times below.

    All pixels count, and each label, the background's 0 too, is one cluster. 1 where chance alone gives full agreement, as with one
    cluster on both sides.

    References
    ----------
    L. Hubert and P. Arabie, Journal of Classification 2, 1985, 193-218, doi:10.1007/BF01908075, equation 5.

    Examples
    --------
    >>> from microtome.measure.metrics.contingency import contingency
    >>> ari(contingency(np.array([[5, 5, 7, 7]]), np.array([[1, 1, 2, 2]])))
    1.0
    """
    both, truth, pred, every = _pairs(table)
    # As (index - chance) / (most - chance), with every term times 2 * every: whole numbers stay exact.
    under = (truth + pred) * every - 2 * truth * pred
    return 2 * (both * every - truth * pred) / under if under else 1.0


def are(table: Contingency) -> float:
    """The adapted Rand error: 1 less the F1 of pairs of pixels that are together.

    Only pixels of the truth's objects count; the truth's background is left out. Among them the prediction's 0 is a cluster like any
    other. A pixel and itself is a pair. Objects predicted on the truth's background are therefore not seen. Where the truth has no
    object: 0 if the prediction has none either, else nan.

    References
    ----------
    I. Arganda-Carreras et al., Frontiers in Neuroanatomy 9, 2015, 142, doi:10.3389/fnana.2015.00142. scikit-image's
    adapted_rand_error does not pair a pixel with itself.

    Examples
    --------
    Two objects merged into one:

    >>> from microtome.measure.metrics.contingency import contingency
    >>> round(are(contingency(np.array([[1, 1, 1, 1]]), np.array([[1, 1, 2, 2]]))), 6)
    0.333333
    """
    there = table.truth > 0
    inside = Contingency(table.truth[there], table.pred[there], table.pixels[there])
    whole = _squares(inside.areas("truth")[1].tolist()) + _squares(inside.areas("pred")[1].tolist())
    if not whole:
        return float("nan") if (table.pred > 0).any() else 0.0
    return 1 - 2 * _squares(inside.pixels.tolist()) / whole


def _pairs(table: Contingency) -> tuple[int, int, int, int]:
    """Twice the pairs of pixels together on both sides, in the truth, in the prediction, and of all pixels; exact for any size."""
    pixels = int(table.pixels.sum())
    both = _squares(table.pixels.tolist())
    truth, pred = (_squares(table.areas(side)[1].tolist()) for side in ("truth", "pred"))
    return both - pixels, truth - pixels, pred - pixels, pixels * (pixels - 1)


def _squares(counts: Iterable[int]) -> int:
    return sum(count * count for count in counts)
