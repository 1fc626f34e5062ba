"""Let a folder and a function share one public name: ``microtome.run`` is both (see docs/decisions).

Python binds a subpackage to its parent's attribute when it is imported, so a function of the same name would vanish
with the first ``import microtome.run.recipe``. Instead the subpackage itself can be called.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

__all__ = ["make_callable"]


def make_callable(module: str, function: str) -> None:
    """Make calling `module` call `function`, given as ``"package.module:name"`` and imported when it is called."""
    place, name = function.split(":")

    class CallableModule(ModuleType):
        """A module that stands for its main function when it is called."""

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return getattr(importlib.import_module(place), name)(*args, **kwargs)

    sys.modules[module].__class__ = CallableModule
