"""Which images teach, and which judge: whole groups, kept in a file and used again.

Groups come in the order of the SHA-256 of the seed and their name, and each goes to the split that lacks most images then. The same
groups and seed give the same splits whatever their order; images added later would move others, so the splits are stored: `keep_split`
leaves every stored image where it is, and deals only the new groups.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import warn
from microtome.io.annotations.document import read_json, read_text
from microtome.io.whole import whole_file
from microtome.learn.data.dataset import Dataset, Entry
from microtome.learn.data.problem import Problem

__all__ = ["SHARES", "folds", "groups_in_two_splits", "keep_split", "read_split", "save_split", "split"]

SHARES: Mapping[str, float] = {"train": 0.8, "val": 0.2}

_FAR_OFF = 0.1


def split(dataset: Dataset, shares: Mapping[str, float] = SHARES, *, seed: int = 0) -> Dataset:
    """Divide a data set by groups.

    Parameters
    ----------
    dataset : Dataset
        Splits it has already are replaced, which is told; divide ``dataset.part("train")`` to keep a test set.
    shares : mapping of str to float
        The part of each split; divided by their sum.
    seed : int

    Returns
    -------
    Dataset
        The same entries, each with its split. No split is empty.

    Raises
    ------
    RecipeError
        If a share is not above zero.
    InputError
        If there are fewer groups than splits.

    Examples
    --------
    >>> entries = [Entry(f"p{k % 10}/{k}", (Path(f"{k}.png"),), group=f"p{k % 10}") for k in range(40)]
    >>> parts = split(Dataset(Path("."), "", tuple(entries), "instance"), {"train": 0.7, "val": 0.3})
    >>> {name: len(parts.part(name)) for name in parts.splits}
    {'train': 28, 'val': 12}
    >>> sorted({*parts.part("train").groups()} & {*parts.part("val").groups()})
    []
    """
    _check(shares)
    if dataset.splits:
        warn(f"{dataset.root}: the splits it came with ({', '.join(dataset.splits)}) are replaced by {', '.join(shares)}")
    sizes = Counter(dataset.groups())
    if len(sizes) < len(shares):
        raise InputError(
            f"{dataset.root}: {len(sizes)} groups cannot fill {len(shares)} splits; label more images, or ask for fewer splits"
        )
    of_group = _none_empty(_dealt(sizes, shares, seed, Counter()), shares)
    divided = dataset.only([replace(entry, split=of_group[group]) for entry, group in zip(dataset, dataset.groups(), strict=True)])
    _tell_sizes(divided, shares)
    return divided


def _check(shares: Mapping[str, float]) -> None:
    bad = [name for name, share in shares.items() if not (math.isfinite(share) and share > 0)]
    if bad or not shares:
        raise RecipeError(f"shares: {', '.join(bad) or 'none'}: each split needs a share above zero, such as {{'train': 0.8, 'val': 0.2}}")


def _place(seed: int, group: str) -> bytes:
    return hashlib.sha256(f"{seed}:{group}".encode()).digest()


def _dealt(sizes: Mapping[str, int], shares: Mapping[str, float], seed: int, filled: Counter[str]) -> dict[str, str]:
    """Each group's split; `filled` is how many images the splits have already."""
    filled = filled.copy()
    total = (sum(sizes.values()) + sum(filled[name] for name in shares)) / sum(shares.values())
    of_group = {}
    for group in sorted(sizes, key=lambda group: _place(seed, group)):
        of_group[group] = max(shares, key=lambda name: shares[name] * total - filled[name])
        filled[of_group[group]] += sizes[group]
    return of_group


def _none_empty(of_group: dict[str, str], shares: Mapping[str, float]) -> dict[str, str]:
    """A split that got nothing takes the last group of the one with most groups."""
    for name in shares:
        if name not in of_group.values():
            richest = Counter(of_group.values()).most_common(1)[0][0]
            of_group[[group for group, of in of_group.items() if of == richest][-1]] = name
    return of_group


def _tell_sizes(dataset: Dataset, shares: Mapping[str, float]) -> None:
    total, whole = len(dataset), sum(shares.values())
    there = Counter(entry.split for entry in dataset)
    if any(abs(there[name] / total - share / whole) > _FAR_OFF for name, share in shares.items()):
        sizes = ", ".join(f"{name} {there[name]} of {total} (asked {share / whole:.0%})" for name, share in shares.items())
        groups = len(set(dataset.groups()))
        warn(f"{dataset.root}: {groups} groups do not divide as asked: {sizes}; another seed divides otherwise, folds use every image")


def folds(dataset: Dataset, k: int = 5, *, seed: int = 0) -> tuple[tuple[Dataset, Dataset], ...]:
    """Divide a data set `k` times for cross-validation, each image being held out once.

    Parameters
    ----------
    dataset : Dataset
    k : int
        From 2.
    seed : int
        Decides among groups of one size.

    Returns
    -------
    tuple of (training, held out)
        Groups stay together: the largest first, each goes to the fold that has the fewest images so far.

    Raises
    ------
    RecipeError
        If `k` is below 2.
    InputError
        If there are fewer than `k` groups.

    Examples
    --------
    >>> entries = [Entry(str(n), (Path(f"{n}.png"),)) for n in range(7)]
    >>> [(len(train), len(held)) for train, held in folds(Dataset(Path("."), "", tuple(entries), "instance"), 3)]
    [(4, 3), (5, 2), (5, 2)]
    """
    sizes = Counter(dataset.groups())
    if k < 2:
        raise RecipeError(f"k: {k} folds; cross-validation needs 2 or more")
    if len(sizes) < k:
        raise InputError(f"{dataset.root}: {len(sizes)} groups cannot make {k} folds; ask for {len(sizes)} or fewer")
    filled = [0] * k
    fold_of = {}
    for group in sorted(sizes, key=lambda group: (-sizes[group], _place(seed, group))):
        fold_of[group] = filled.index(min(filled))
        filled[fold_of[group]] += sizes[group]
    of_entry = [fold_of[group] for group in dataset.groups()]
    return tuple(
        (_where(dataset, [fold != number for fold in of_entry]), _where(dataset, [fold == number for fold in of_entry]))
        for number in range(k)
    )


def _where(dataset: Dataset, chosen: Sequence[bool]) -> Dataset:
    return dataset.only([entry for entry, take in zip(dataset, chosen, strict=True) if take])


def groups_in_two_splits(dataset: Dataset) -> list[Problem]:
    """The groups that given splits tear apart, a `Problem` ``"group-in-two-splits"`` each."""
    members: dict[str, list[Entry]] = defaultdict(list)
    for entry in dataset:
        if entry.group and entry.split:
            members[entry.group].append(entry)
    return [_torn(group, entries) for group, entries in members.items() if len({entry.split for entry in entries}) > 1]


def _torn(group: str, entries: Sequence[Entry]) -> Problem:
    counts = Counter(entry.split for entry in entries)
    told = ", ".join(f"{count} in {name}" for name, count in sorted(counts.items()))
    one_each = [next(entry.name for entry in entries if entry.split == name) for name in sorted(counts)]
    return Problem("group-in-two-splits", f"group {group!r} has images in {len(counts)} splits: {told}", one_each[0],
                   "the images were divided one by one, though some belong together", "move the whole group into one split",
                   values=(group,), others=tuple(one_each[1:12]))  # fmt: skip


@dataclass(frozen=True)
class _Stored:
    rows: dict[str, dict[str, str]]
    seed: int
    shares: dict[str, float]


def save_split(dataset: Dataset, path: Path, *, seed: int | None = None, shares: Mapping[str, float] | None = None, how: str = "") -> None:
    """Write down each image's split and group, and how they came about, as ``.json`` or ``.csv``.

    Parameters
    ----------
    dataset : Dataset
    path : path
    seed, shares
        What `split` was given; None for splits that came with the data.
    how : str
        In words. Left out: what `seed` being there says.

    Raises
    ------
    InputError
        For another suffix.
    """
    path = Path(path)
    rows = [{"name": entry.name, "group": entry.group, "split": entry.split} for entry in dataset]
    how = how or ("as given" if seed is None else "groups in the order of SHA-256 of seed:group, each to the split that lacks most images")
    if path.suffix.lower() == ".json":
        about = {"microtome": "split", "how": how, "seed": seed, "shares": dict(shares or {})}
        text = json.dumps(about | {"entries": rows}, indent=1, ensure_ascii=False) + "\n"
    elif path.suffix.lower() == ".csv":
        told = " ".join(f"{name}={share:g}" for name, share in (shares or {}).items())
        text = _as_csv([row | {"how": how, "seed": "" if seed is None else str(seed), "shares": told} for row in rows])
    else:
        raise InputError(f"{path}: splits are stored as .json or .csv")
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def _as_csv(rows: Sequence[Mapping[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, ("name", "group", "split", "how", "seed", "shares"), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read_split(dataset: Dataset, path: Path) -> Dataset:
    """Give the images the splits of a file that `save_split` wrote; the file wins over splits and groups they have.

    An image the file does not name gets the split of its group, where the file has that group; other new groups are dealt as `split`
    deals them, where the file says by which shares, and have no split where it does not. That, and images the file names that are not
    there, is told by a warning.

    Raises
    ------
    InputError
        If the file is damaged, or names an image twice.
    """
    path = Path(path)
    stored = _read(path)
    known = [entry for entry in dataset if entry.name in stored.rows]
    new = [entry for entry in dataset if entry.name not in stored.rows]
    of_group = {entry.group: stored.rows[entry.name]["split"] for entry in known if entry.group}
    of_group |= {row["group"] or name: row["split"] for name, row in stored.rows.items()}
    sizes = Counter(group for group in (entry.group or entry.name for entry in new) if group not in of_group)
    if stored.shares:
        of_group |= _dealt(sizes, stored.shares, stored.seed, Counter(stored.rows[entry.name]["split"] for entry in known))
    if new:
        left = "dealt by the same shares" if stored.shares else "left without a split"
        warn(f"{path}: {len(new)} images are not in it ({_some([entry.name for entry in new])}): {len(new) - sizes.total()} went with "
             f"their group, {sizes.total()} were {left}; save the splits anew to keep that")  # fmt: skip
    if gone := sorted(set(stored.rows) - {entry.name for entry in known}):
        warn(f"{path}: {len(gone)} images it names are not in {dataset.root} ({_some(gone)})")
    divided = dataset.only([_placed(entry, stored.rows.get(entry.name), of_group) for entry in dataset])
    if torn := [problem.values[0] for problem in groups_in_two_splits(divided)]:
        warn(f"{path}: tears {len(torn)} groups apart ({_some(torn)}), it was made without them; remove it to divide anew")
    return divided


def keep_split(dataset: Dataset, path: Path, shares: Mapping[str, float] = SHARES, *, seed: int = 0) -> Dataset:
    """The splits stored at `path`; where there is no such file yet, `split` the data set and store them there."""
    path = Path(path)
    if path.exists():
        return read_split(dataset, path)
    divided = split(dataset, shares, seed=seed)
    save_split(divided, path, seed=seed, shares=shares)
    return divided


def _placed(entry: Entry, row: Mapping[str, str] | None, of_group: Mapping[str, str]) -> Entry:
    if row is None:
        return replace(entry, split=of_group.get(entry.group or entry.name, ""))
    return replace(entry, split=row["split"], group=row["group"] or entry.group)


def _read(path: Path) -> _Stored:
    if path.suffix.lower() == ".json":
        found = read_json(path)
        if not isinstance(found, dict) or found.get("microtome") != "split" or not isinstance(found.get("entries"), list):
            raise InputError(f'{path}: no splits of ours: expected {{"microtome": "split", "entries": [...]}}')
        return _checked(path, found["entries"], found.get("seed"), found.get("shares") or {})
    rows = list(csv.DictReader(io.StringIO(read_text(path))))
    first = rows[0] if rows else {}
    return _checked(
        path, rows, first.get("seed") or None, dict(one.split("=") for one in (first.get("shares") or "").split() if "=" in one)
    )


def _checked(path: Path, rows: Sequence[Any], seed: Any, shares: Any) -> _Stored:
    stored: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or not all(isinstance(row.get(name), str) for name in ("name", "group", "split")):
            raise InputError(f"{path}: entry {number} has no name, group and split; is this a file of splits?")
        if row["name"] in stored:
            raise InputError(f"{path}: {row['name']!r} is there twice")
        stored[row["name"]] = row
    try:
        return _Stored(stored, int(seed or 0), {str(name): float(share) for name, share in shares.items()})
    except (ValueError, TypeError, AttributeError):
        raise InputError(f"{path}: its seed or shares are damaged; expected a whole number, and a number for each split") from None


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
