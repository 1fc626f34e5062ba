"""In the examples of docstrings `np` is NumPy, without an import in each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest


@pytest.fixture(autouse=True, scope="session")
def _numpy_in_examples(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["np"] = np
