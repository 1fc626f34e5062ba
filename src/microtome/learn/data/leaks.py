"""Pictures that two splits share, whole or in part: they make scores look better than they are.

Every picture is decoded once, to its `signature`; `find_leaks` compares signatures only. Four findings, from the surest:

- the same decoded pixels (a digest);
- a copy that went through JPEG, or was resized: thumbnails without their coarse shades correlate above 0.97. Of pictures from six
  sets, copies at JPEG quality 30, or of half or double the size, correlated at 0.981 or more, those of a third of the size at 0.956;
- a piece: patches chosen by their content (see `patches`) are there again, all moved by the same way. Pieces that went through JPEG or
  were resized have other pixels, and are not found so;
- a similar picture: the thumbnails correlate above 0.85. Where more than a tenth of all pictures has such a neighbour, the data is a
  film or a series, in which that means little: it is a note then, and a copy must correlate above 0.997.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings, warn
from microtome.core.kernels.bands import threads
from microtome.learn.data.dataset import Dataset, Entry
from microtome.learn.data.load import load_image
from microtome.learn.data.problem import Problem, Severity
from microtome.learn.data.signature import Signature, signature

__all__ = ["Signature", "find_leaks", "leaks", "signature"]

_COPY, _COPY_IN_A_FILM, _SIMILAR = 0.97, 0.997, 0.85
_FEW = 4  # pictures with a similar neighbour that make no film yet
_PATCHES = 4  # that two pictures must share
_REACH = 15  # a patch is compared with this many others of its kind: enough to link the pieces of one picture, and never slow
_ROWS = 2048


@dataclass(frozen=True, eq=False)
class _Picture:
    place: int
    name: str
    split: str
    group: str
    signature: Signature


@dataclass(frozen=True)
class _Shared:
    """`piece` has `count` patches of `other`, on `height` x `width` pixels; `whole`: on all of its own."""

    piece: _Picture
    other: _Picture
    count: int
    extent: tuple[int, ...]
    whole: bool


def leaks(dataset: Dataset) -> list[Problem]:
    """Look for pictures that are in the data twice, above all in two splits; see `find_leaks`.

    Pictures that cannot be read are told by a warning and left out. The problems name entries.
    """
    with ThreadPoolExecutor(threads()) as pool:  # decoding, and most of the rest, leaves Python's lock
        read = list(pool.map(_read, dataset))
    for _, said in read:
        for message in said:
            warn(message)
    signatures = {entry.name: one for entry, (one, _) in zip(dataset, read, strict=True) if one}
    splits = {entry.name: entry.split for entry in dataset}
    return find_leaks(signatures, splits, groups={entry.name: entry.group for entry in dataset})


def _read(entry: Entry) -> tuple[Signature | None, list[str]]:
    with collect_warnings() as said:  # a thread does not know who listens
        try:
            return signature(load_image(entry)), said
        except InputError as error:
            return None, [*said, f"{error}; not looked at for leaks"]


def find_leaks(signatures: Mapping[str, Signature], splits: Mapping[str, str], *, groups: Mapping[str, str] | None = None) -> list[Problem]:
    """Compare the signatures of a data set's pictures.

    Parameters
    ----------
    signatures : mapping of str to Signature
        By what the problems shall call the picture: its name, or its file.
    splits, groups : mapping of str to str
        Of the same names; empty, or left out: none. Pictures of one group and split may share pixels and looks.

    Returns
    -------
    list of Problem
        Of the kinds ``"same-picture-in-two-splits"``, ``"duplicated-image"``, ``"cut-from-another"`` and ``"near-duplicate"``, each
        with the other pictures it is about.

    Examples
    --------
    >>> from microtome.core.raster import Image
    >>> picture = np.random.default_rng(0).integers(0, 255, (200, 200), np.uint8)
    >>> found = find_leaks({"a": signature(Image(picture)), "b": signature(Image(picture[40:140, 60:180]))}, {"a": "train", "b": "val"})
    >>> [(problem.kind, problem.file, problem.others, problem.values) for problem in found]
    [('cut-from-another', 'b', ('a',), (100, 120))]
    """
    of = groups or {}
    pictures = [_Picture(place, name, splits.get(name, ""), of.get(name, ""), one) for place, (name, one) in enumerate(signatures.items())]
    alike = defaultdict(list)
    for picture in pictures:
        alike[picture.signature.digest].append(picture)
    problems = [_same_pixels(several) for several in alike.values() if len(several) > 1]
    different = [several[0] for several in alike.values()]
    copies, similar, film = _by_look(different)
    problems += [_copies(several) for several in _joined(copies)]
    linked = {frozenset((a.name, b.name)) for a, b in (*copies, *similar)}
    shared = [one for one in _by_patches(different) if frozenset((one.piece.name, one.other.name)) not in linked]
    problems += _pieces(shared)
    return problems + [_alike(several, film) for several in _joined(similar)]


def _same_pixels(pictures: Sequence[_Picture]) -> Problem:
    blank = not pictures[0].signature.look.any()
    severity: Severity = "note" if blank else "problem"
    told = "a blank picture, and so is" if blank else "the same pixels, value for value, as"
    return _twins(pictures, f"{told} {_count(len(pictures) - 1)}", severity)


def _copies(pictures: Sequence[_Picture]) -> Problem:
    return _twins(pictures, f"the same picture, resized or saved anew, as {_count(len(pictures) - 1)}", "problem")


def _twins(pictures: Sequence[_Picture], message: str, severity: Severity) -> Problem:
    others = tuple(picture.name for picture in pictures[1:13])
    if len({picture.split for picture in pictures}) > 1:
        return Problem("same-picture-in-two-splits", f"{message} ({_in_splits(pictures)})", pictures[0].name,
                       "the images were copied, or divided after they had been multiplied",
                       "keep one, or move all of them into one split", others=others, severity=severity)  # fmt: skip
    return Problem("duplicated-image", message, pictures[0].name, "a file was copied under another name",
                   "keep one; see first whether their labels agree", others=others, severity=severity)  # fmt: skip


def _alike(pictures: Sequence[_Picture], film: bool) -> Problem:
    torn = len({picture.split for picture in pictures}) > 1
    place = f" ({_in_splits(pictures)})" if torn else ""
    cause = "frames of one film, or neighbours in a series" if film else "one scene taken twice, or neighbours in a series"
    remedy = "give pictures of one scene one group, and divide by groups"
    others = tuple(picture.name for picture in pictures[1:13])
    return Problem("near-duplicate", f"looks nearly the same as {_count(len(pictures) - 1)}{place}", pictures[0].name, cause, remedy,
                   others=others, severity="problem" if torn and not film else "note")  # fmt: skip


def _count(others: int) -> str:
    return "another" if others == 1 else f"{others} others"


def _in_splits(pictures: Iterable[_Picture]) -> str:
    counts = Counter(picture.split or "no split" for picture in pictures)
    return ", ".join(f"{count} in {split}" for split, count in sorted(counts.items()))


_Pair = tuple[_Picture, _Picture]


def _by_look(pictures: Sequence[_Picture]) -> tuple[list[_Pair], list[_Pair], bool]:
    """Pairs that are copies, pairs that are similar, and whether the data is a film."""
    first, second, correlation = _correlated(pictures)
    film = len({*first.tolist(), *second.tolist()}) > max(_FEW, len(pictures) / 10)
    divided = any(picture.split for picture in pictures)
    copies, similar = [], []
    for i, j, r in zip(first.tolist(), second.tolist(), correlation.tolist(), strict=True):
        a, b = pictures[i], pictures[j]
        related = a.split == b.split and a.group == b.group != ""
        if r >= (_COPY_IN_A_FILM if film else _COPY) and not related and not (film and a.split == b.split):
            copies.append((a, b))
        elif a.split != b.split or not (divided or related):
            similar.append((a, b))
    return copies, similar, film


def _correlated(pictures: Sequence[_Picture]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    if not pictures:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
    looks = np.stack([picture.signature.look for picture in pictures])
    found = []
    for top in range(0, len(looks), _ROWS):
        correlation = looks[top : top + _ROWS] @ looks[top:].T
        rows, columns = np.nonzero(correlation >= _SIMILAR)
        later = columns > rows
        found.append((rows[later] + top, columns[later] + top, correlation[rows[later], columns[later]]))
    first, second, correlation = (np.concatenate(one) for one in zip(*found, strict=True))
    return first, second, correlation


def _joined(pairs: Sequence[_Pair]) -> list[list[_Picture]]:
    """Pictures that pairs connect, each such set and all of them in the order they were given."""
    of: dict[str, list[_Picture]] = {}
    for a, b in pairs:
        one, other = of.setdefault(a.name, [a]), of.setdefault(b.name, [b])
        if one is not other:
            one.extend(other)
            of.update((picture.name, one) for picture in other)
    joined = {id(several): sorted(several, key=lambda picture: picture.place) for several in of.values()}
    return sorted(joined.values(), key=lambda several: several[0].place)


def _by_patches(pictures: Sequence[_Picture]) -> list[_Shared]:
    """Pairs of pictures with patches in common, all moved by the same way."""
    votes = _votes([picture.signature for picture in pictures])
    best: dict[tuple[int, int], _Shared] = {}
    for (i, j, *move), count in votes:
        shared = _shared(pictures[i], pictures[j], np.array(move), count)
        if shared and (i, j) not in best:
            best[i, j] = shared
    return list(best.values())


def _votes(signatures: Sequence[Signature]) -> list[tuple[list[int], int]]:
    """(first, second, move in z, y, x) and how many patches say so, the most first."""
    if not signatures:
        return []
    hashes = np.concatenate([one.hashes for one in signatures])
    places = np.concatenate([one.places for one in signatures])
    owner = np.repeat(np.arange(len(signatures)), [len(one.hashes) for one in signatures])
    order = np.argsort(hashes, kind="stable")
    hashes, places, owner = hashes[order], places[order], owner[order]
    found = []
    for reach in range(1, _REACH + 1):
        at = np.flatnonzero(hashes[reach:] == hashes[:-reach])
        if not len(at):
            break
        found.append(np.column_stack([owner[at], owner[at + reach], places[at + reach] - places[at]]))
    if not found:
        return []
    rows, counts = np.unique(np.concatenate(found), axis=0, return_counts=True)
    enough = np.flatnonzero(counts >= _PATCHES)
    enough = enough[np.argsort(-counts[enough], kind="stable")]
    return list(zip(rows[enough].tolist(), counts[enough].tolist(), strict=True))


def _shared(a: _Picture, b: _Picture, move: NDArray[np.int64], count: int) -> _Shared | None:
    """What two pictures share, if most patches of the part that they would share are there in both.

    A scale bar or a caption printed into every picture is shared too, but what lies around it is not.
    """
    if a.split == b.split and a.group == b.group != "":
        return None
    size_a, size_b = _size(a), _size(b)
    first, past = np.maximum(0, -move), np.minimum(size_a, size_b - move)
    there = max(_within(a, first, past), _within(b, first + move, past + move))
    if (past <= first).any() or 2 * count < there:
        return None
    extent = past - first
    piece, other = (a, b) if (extent == size_a).all() else (b, a)
    whole = bool((extent == _size(piece)).all())
    return _Shared(piece, other, count, tuple(extent.tolist())[-len(piece.signature.shape) :], whole)


def _size(picture: _Picture) -> NDArray[np.int64]:
    shape = picture.signature.shape
    return np.array(shape if len(shape) == 3 else (1, *shape), np.int64)


def _within(picture: _Picture, first: NDArray[np.int64], past: NDArray[np.int64]) -> int:
    """The picture's patches that lie whole in a part of it."""
    from microtome.learn.data.patches import SIDE

    places = picture.signature.places
    last = past - np.array([1, SIDE, SIDE])
    return int(np.count_nonzero(((places >= first) & (places <= last)).all(axis=1)))


def _pieces(shared: Sequence[_Shared]) -> list[Problem]:
    """One finding a piece, with all it shares pixels with; those across splits first."""
    of: dict[tuple[str, bool], list[_Shared]] = defaultdict(list)
    for one in shared:
        of[one.piece.name, one.piece.split != one.other.split].append(one)
    return [_piece(several, torn) for (_, torn), several in sorted(of.items(), key=lambda item: not item[0][1])]


def _piece(shared: Sequence[_Shared], torn: bool) -> Problem:
    first = max(shared, key=lambda one: one.count)
    size = " x ".join(str(side) for side in first.extent)
    further = f", and pixels with {_count(len(shared) - 1)}" if len(shared) > 1 else ""
    what = "all of it is a part of" if first.whole else f"{size} of its pixels are also in"
    place = f" ({first.piece.split or 'no split'}, {first.other.split or 'no split'})" if torn else ""
    return Problem("cut-from-another", f"{what} {first.other.name}{place}{further}", first.piece.name,
                   "images were cut into tiles, or cropped, and then divided" if torn else "tiles or crops of one picture",
                   "move all pieces of a picture into one split" if torn else "give all pieces of a picture one group before dividing",
                   values=first.extent, others=tuple(dict.fromkeys(one.other.name for one in shared))[:12],
                   severity="problem" if torn else "note")  # fmt: skip
