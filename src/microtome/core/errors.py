"""Every error Microtome raises on purpose.

    MicrotomeError
    ├── InputError    (ValueError)    a file or an array is not what it must be
    ├── RecipeError   (ValueError)    a recipe, a step's name or a setting is wrong
    ├── MissingExtra  (ImportError)   an optional part is not installed
    └── RunError      (RuntimeError)  a worker, the disk or a device failed

Each message says what was found, where, and what to do about it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["InputError", "MicrotomeError", "MissingExtra", "RecipeError", "RunError", "did_you_mean"]


class MicrotomeError(Exception):
    """The root: catch this to catch whatever Microtome raises on purpose."""


class InputError(MicrotomeError, ValueError):
    """A file or an array cannot be used: it names the file, what was found and what was expected."""


class RecipeError(MicrotomeError, ValueError):
    """A recipe or a setting is wrong: it names the place in the document and near spellings."""


class MissingExtra(MicrotomeError, ImportError):
    """An optional dependency is missing: it gives the exact ``pip install`` line."""


class RunError(MicrotomeError, RuntimeError):
    """A worker, the disk or a device failed while the input itself was sound."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean otsu?"`` for a near spelling, else the list of what is known.

    >>> did_you_mean("ostu", ["otsu", "median"])
    '; did you mean otsu?'
    """
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=3, cutoff=0.6)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; known: {', '.join(names)}" if names else ""
