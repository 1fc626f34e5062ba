"""In the examples of docstrings `np` is NumPy. And `make test-base`: the suite as if the extra `deep` were not installed."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np
import pytest

DEEP = ("torch", "torchvision", "timm", "segmentation_models_pytorch", "safetensors", "accelerate", "onnxscript")
WITHOUT_DEEP = bool(os.environ.get("MICROTOME_WITHOUT_DEEP"))
collect_ignore_glob = (
    ["src/microtome/networks/*", "src/microtome/losses/*", "tests/networks/*", "tests/losses/*", "tests/reference/test_losses.py",
     "tests/reference/test_networks.py"]
    if WITHOUT_DEEP
    else []
)  # fmt: skip


class _Hiding:
    """A finder of modules that finds nothing of what the extra `deep` brings."""

    def __init__(self, finder: Any) -> None:
        self._finder = finder

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        return None if name.partition(".")[0] in DEEP else self._finder.find_spec(name, path, target)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._finder, name)


if WITHOUT_DEEP:
    sys.meta_path[:] = [_Hiding(finder) for finder in sys.meta_path]


@pytest.fixture(autouse=True, scope="session")
def _numpy_in_examples(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["np"] = np
