"""The doctor on real labelled sets: every fault planted in a copy is found, named and mended, and what it says of the sets is real."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from microtome.core.events import collect_warnings
from microtome.learn.data.doctor.check import check
from microtome.learn.data.find import find_dataset

STUDY = Path(__file__).parents[4] / "studies" / "label_doctor" / "plant.py"


def _study() -> ModuleType:
    spec = importlib.util.spec_from_file_location("label_doctor_plant", STUDY)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


plant = _study()


@pytest.mark.parametrize("one", plant.PLANTS, ids=lambda one: one.name)
def test_a_planted_fault_is_found_named_and_mended(labelled_sets: Path, tmp_path: Path, one: object) -> None:
    outcome = plant.try_out(one, labelled_sets, tmp_path)
    assert one.kind not in outcome.clean
    assert outcome.named
    assert outcome.fixed is (True if one.fixable else None)


@pytest.mark.parametrize(
    ("folder", "real"),
    [
        ("isbi2012", {}),
        ("hippocampus_3d", {}),
        ("nuclei_3d", {}),
        ("magnetic_tile", {}),
        ("dsb2018_nuclei/histology", {"image-kind-differs": 6}),  # the brightfield crops are grey among stained tiles
        ("penn_fudan", {"object-in-pieces": 11}),  # people behind others, each looked at
        ("bccd", {"near-duplicate": 1}),  # the pair that the set's README names
    ],
)
def test_clean_sets_have_no_problems_but_the_real_ones(labelled_sets: Path, folder: str, real: dict[str, int]) -> None:
    with collect_warnings():
        found = check(find_dataset(labelled_sets / folder)).problems
    assert Counter(problem.kind for problem in found) == real
