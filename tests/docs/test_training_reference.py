"""The page of what a training recipe can name: all of every catalogue is there with its settings, and what is said of them is true."""

from __future__ import annotations

import re
import runpy
import sys
import types
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest

pytest.importorskip("torch")

from tests.docs.test_how_to import blocks

from microtome.core.errors import RecipeError
from microtome.core.keywords import settings_of
from microtome.learn.augment import catalogue as augmentation
from microtome.learn.augment.chain import chain_of
from microtome.learn.data.windows import Sampling
from microtome.learn.training.optimisers import OPTIMISERS
from microtome.learn.training.recipe import TrainingRecipe
from microtome.learn.training.said import check_said
from microtome.learn.training.schedules import SCHEDULES, schedule_of
from microtome.losses import catalogue as losses
from microtome.losses.weighted_sum import weighted_sum
from microtome.networks import catalogue as networks
from microtome.run import yaml_text
from microtome.targets import catalogue as targets
from microtome.targets.weight_map import weight_map

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "reference" / "training.md").read_text(encoding="utf-8")

EXPECTED = {
    "Targets": {name: targets.settings(name) for name in targets.names()},
    "Losses": {name: losses.settings(name) for name in losses.names()},
    "Pixel weights": {"": settings_of(weight_map)},
    "Augmentation that moves pixels": {name: augmentation.settings_of(name) for name in augmentation.names("geometry")},
    "Augmentation that changes values": {name: augmentation.settings_of(name) for name in augmentation.names("intensity")},
    "Mixing windows": {name: augmentation.settings_of(name) for name in augmentation.names("batch")},
    "Sampling": {"": settings_of(Sampling)},
    "Optimisers": {name: settings_of(one) for name, one in OPTIMISERS.items()},
    "Schedules": {name: settings_of(one) for name, one in SCHEDULES.items()},
}


@pytest.fixture(scope="module")
def tables():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS / "make")
        yield runpy.run_path(str(DOCS / "make" / "training.py"))["TABLES"]


@pytest.fixture(scope="module")
def page(tables):
    """The page as the documentation's build fills it in."""
    text = TEXT
    for marker, table in tables.items():
        assert marker in text
        text = text.replace(marker, table())
    assert "<!--" not in text
    return text


def parts(text: str, level: str) -> dict[str, str]:
    """What stands below each heading of a level."""
    found = re.split(rf"^{level} (.+)\n", text, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def rows(text: str) -> dict[str, list[str]]:
    """The cells behind each setting's name."""
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in re.findall(r"^\| `.*$", text, re.MULTILINE)]
    return {name.strip(" `"): [cell.strip() for cell in rest] for name, *rest in cells}


def entries(page: str, heading: str) -> dict[str, str]:
    section = parts(page, "##")[heading]
    return parts(section, "###") if "" not in EXPECTED[heading] else {"": section}


@pytest.mark.parametrize("heading", EXPECTED)
def test_every_name_is_there_with_its_settings(page, heading):
    found = entries(page, heading)
    assert set(found) == set(EXPECTED[heading])
    assert {name: list(rows(text)) for name, text in found.items()} == {name: list(one) for name, one in EXPECTED[heading].items()}


def test_no_kind_of_augmentation_is_left_out():
    kinds = ("Augmentation that moves pixels", "Augmentation that changes values", "Mixing windows")
    assert [name for kind in kinds for name in EXPECTED[kind]] == list(augmentation.names())


@pytest.mark.parametrize("heading", EXPECTED)
def test_defaults_and_what_is_allowed(page, heading):
    for name, settings in EXPECTED[heading].items():
        found = rows(entries(page, heading)[name])
        for key, setting in settings.items():
            kind, allowed, default, _ = found[key]
            assert allowed == str(setting.bounds or ""), (name, key)
            assert all(str(option) in kind for option in options(setting.annotation)), (name, key)
            if setting.default is None:
                assert default == "none"
            else:
                value = setting.check(yaml_text.load(default.strip("`")), key)
                assert value == (setting.default if isinstance(value, str) else pytest.approx(setting.default, rel=1e-3)), (name, key)


def options(annotation: object) -> tuple[object, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def test_numbers_of_classes_are_not_called_numbers_of_axes(page):
    of_losses = {name: rows(text) for name, text in entries(page, "Losses").items()}
    assert of_losses["cross_entropy"]["class_weights"][0] == "numbers, one a class"
    assert of_losses["boundary"]["aspect"][0] == "numbers, one a spatial axis"


def test_each_has_its_words_and_its_source(page):
    texts = {name: text for heading in EXPECTED for name, text in entries(page, heading).items() if name}
    assert all(re.match(r"\n\S.+\.\n", text) for text in texts.values())
    assert "Source: F. Milletari, N. Navab and S.-A. Ahmadi, V-Net, 3DV 2016" in texts["dice"]
    assert texts["cosine"].rstrip().endswith("Source: I. Loshchilov, F. Hutter, arXiv:1608.03983, without restarts.")


def test_a_new_file_appears_by_itself(tables, monkeypatch):
    def ours(outputs: object, target: object, *, weight: object = None, ignore: int | None = None, steep: float = 2.5) -> None:
        """The mean."""

    module = types.ModuleType("ours_of_a_test", "A loss of our own: steep.")
    module.ours = ours
    ours.__module__ = module.__name__
    monkeypatch.setitem(sys.modules, module.__name__, module)
    known = {**losses.places(), "ours": module.__name__}
    monkeypatch.setattr(losses, "places", lambda: known)
    shown = parts(tables["<!-- losses -->"](), "###")["ours"]
    assert shown.startswith("\nA loss of our own: steep. The mean.\n")
    assert rows(shown)["steep"][2] == "`2.5`"


# ---- what the page says around its tables


def test_the_ways_to_write_a_loss():
    said = TEXT.split("A loss is written", 1)[1].split("\n\n", 1)[0]
    name, both, settings, all_three = (yaml_text.load(text) for text in re.findall(r"`([\[{]?[^`]*dice[^`]*)`", said))
    assert weighted_sum([name]).document() == weighted_sum(name).document() == [["dice", 1.0, {}]]
    assert weighted_sum([both]).document() == [["dice", 0.5, {}]]
    assert weighted_sum([settings]).document() == weighted_sum([all_three]).document() == [["dice", 0.5, {"squared": True}]]
    with pytest.raises(RecipeError, match="a number from 0"):
        weighted_sum([["dice", -1]])


def test_the_recipe_is_sound():
    (text,) = blocks("../reference/training.md", "yaml")
    recipe = TrainingRecipe.from_document(yaml_text.load(text))
    check_said(recipe)
    assert [part.factor for part in weighted_sum(recipe.loss).parts] == [1, 0.1]
    assert len(chain_of(recipe.augment).steps) == 2
    assert len(chain_of(recipe.mix, folders=("batch",)).steps) == 1
    assert recipe.optimiser["sgd"]["rate"] == 0.05
    assert schedule_of(recipe.schedule)(0, 10) == 1


def test_networks_are_those_of_pixels_and_two_of_them_download(page):
    section = parts(page, "##")["Networks"]
    listed = rows(section)
    answers = {name: place.split(".")[-2] for name, place in networks.places().items()}
    assert set(listed) == {name for name, kind in answers.items() if kind != "classification"}
    assert [name for name, kind in answers.items() if kind == "classification"] == ["encoder_classifier"]
    assert all(cells == [networks.summary_line(name)] for name, cells in listed.items())
    assert {name for name in listed if "pretrained" in networks.settings_of(networks.load(name))} == {"smp", "timm_unet"}
    assert "`smp` and `timm_unet` have\n`pretrained`" in section
