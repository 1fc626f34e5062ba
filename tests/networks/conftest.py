"""Networks are tested on one thread; without the extra `deep` there is nothing to test."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

collect_ignore_glob: list[str] = [] if find_spec("torch") else ["*"]


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    import torch

    torch.set_num_threads(1)
