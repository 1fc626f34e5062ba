"""What the pages about training show is true: options and fields are all there are, Python runs, a network of one's own trains."""

from __future__ import annotations

import re
import runpy
import shlex
import tomllib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import typer
from pydantic import BaseModel
from typer.testing import CliRunner

import microtome
from microtome.app.cli.main import app
from microtome.learn.training.recipe import TrainingRecipe
from microtome.run import yaml_text

pytest.importorskip("torch")

from tests.docs.test_how_to import blocks
from tests.learn.training.tiny import TINY, discs, samples

from microtome.learn.training.events import Finished, Validated
from microtome.networks import catalogue
from microtome.run.bundle import open_bundle

DOCS = Path(__file__).parents[2] / "docs"
TRAIN = (DOCS / "how-to" / "train.md").read_text(encoding="utf-8")
PAGES = ("how-to/train.md", "how-to/own-network.md", "learn/your-first-model.md")


def section(heading: str) -> str:
    return TRAIN.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def first_column(text: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


def options_of(command: str) -> set[str]:
    group = typer.main.get_command(app)
    return {name for parameter in group.commands[command].params for name in parameter.opts if name.startswith("-")}


def test_every_option_is_on_the_page_and_no_other():
    told = {row.split()[0] for row in first_column(section("Options"))}
    assert told == options_of("train") - {"--help"}


def fields_of(model: type[BaseModel], above: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        found |= fields_of(type(default), f"{name}.") if isinstance(default, BaseModel) else {above + name: default}
    return found


def test_every_field_of_the_recipe_is_on_the_page_with_its_default():
    rows = dict(re.findall(r"^\| `([\w.]+)` \| (.*?) \|", section("The training recipe"), re.MULTILINE))
    fields = fields_of(TrainingRecipe)
    assert set(rows) == set(fields)
    written = {name: yaml_text.dump_value(value) for name, value in fields.items() if value is not None}
    assert {name: rows[name].strip("`") for name in written} == written
    assert not [name for name in rows if name not in written and rows[name].startswith("`")]


@pytest.mark.parametrize("text", blocks("train.md", "yaml"))
def test_recipes_are_sound(text):
    recipe = TrainingRecipe.from_document(yaml_text.load(text, "train.md"))
    assert recipe.network == {"unet": {"depth": 4, "root": 16}}


def commands(page: str) -> list[list[str]]:
    text = (DOCS / page).read_text(encoding="utf-8")
    shell = "".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    return [shlex.split(line.partition("microtome.app.cli.main ")[2] or line.partition("microtome ")[2])
            for line in shell.splitlines() if re.match(r"microtome |torchrun ", line)]  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_commands_have_their_options(page):
    assert commands(page)
    for command, *words in commands(page):
        assert {word for word in words if word.startswith("--")} <= options_of(command)
        assigned = [value for option, value in pairwise(words) if option == "--set" and "PLACE" not in value]
        assert command != "train" or TrainingRecipe().changed(assigned)


def test_the_targets_are_those_there_are():
    from microtome.targets.catalogue import names

    assert set(re.findall(r"^\| \[`(\w+)`\]", section("What is learned"), re.MULTILINE)) == set(names())


def test_the_first_model_does_what_its_script_does():
    text = (DOCS / "learn" / "your-first-model.md").read_text(encoding="utf-8")
    script = (DOCS / "images" / "first_model.py").read_text(encoding="utf-8")
    assert all(
        command.replace("2m", "20m") in text
        for command in re.findall(r'^    "((?:check|train|segment|evaluate) .*)",$', script, re.MULTILINE)
    )
    assert all((DOCS / "images" / name).stat().st_size < 150_000 for name in re.findall(r"images/(first-model-[\w-]+\.png)", text))


# ---- a network of one's own: written, named by a package, trained by the command line


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """What the page says to write, installed as a package would be."""
    root = tmp_path_factory.mktemp("package")
    module, test, _ = blocks("own-network.md", "python")
    toml = tomllib.loads(blocks("own-network.md", "toml")[0])
    for text in (module, test):
        file = root / text.split("\n", 1)[0].removeprefix("# ")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text.split("\n", 1)[1], encoding="utf-8")
    (about := root / "my_networks-1.0.dist-info").mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my_networks\nVersion: 1.0\n")
    points = toml["project"]["entry-points"]
    (about / "entry_points.txt").write_text(
        "".join(f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in named.items()) for group, named in points.items())
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root)
        catalogue.places.cache_clear()
        yield root
    catalogue.places.cache_clear()


def test_the_test_of_the_page_passes(package):
    names = runpy.run_path(str(package / "tests" / "test_dilated.py"))
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == 3
    for one in tests:
        one()


def test_its_settings_are_checked_and_its_reason_is_listed(package):
    assert catalogue.summary_line("dilated").startswith("A stack of dilated convolutions")
    assert catalogue.settings_of(catalogue.load("dilated"))["layers"].about.startswith("How many")
    with pytest.raises(microtome.RecipeError, match="layers: found 9"):
        catalogue.build("dilated", channels_in=1, outputs={"mask": 2}, layers=9)


def test_a_bundle_made_by_hand_runs(package, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"Dilated": catalogue.load("dilated")}
    exec(blocks("own-network.md", "python")[2], names)
    found = open_bundle(tmp_path / "dilated.zip")
    assert found.facts["diameter"] == 12.5
    assert microtome.segment(discs(1)[0], found.recipe).mask.shape == (48, 48)


@pytest.fixture(scope="module")
def run(package, tmp_path_factory):
    """A run of the command line, of the page's own network."""
    folder = tmp_path_factory.mktemp("run")
    write(folder / "DATA")
    tiny = TINY["train"] | {"budget": {"steps": 2}, "validation": {"every": 1, "pictures": 1}}
    (folder / "tiny.yaml").write_text(yaml_text.dump({"microtome": 1, "train": {k: v for k, v in tiny.items() if k != "network"}}))
    said = "train DATA --out RUN --network dilated --set network.dilated.layers=2 --task instance --recipe tiny.yaml --quiet"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(app, said.split())
    assert done.exit_code == 0, done.output
    return folder


def write(folder: Path) -> None:
    from PIL import Image

    for one in samples():
        for part, pixels in (("images", one.image.pixels), ("masks", one.truth.pixels.astype(np.uint16))):
            (folder / part).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / part / f"{one.name.replace(' ', '_')}.png")


def test_a_network_of_ones_own_trains_and_runs_without_its_file(run):
    bundle = open_bundle(run / "RUN" / "model.zip")
    assert bundle.facts["network"] == {"dilated": {"layers": 2}}
    assert microtome.segment(discs(2)[0], bundle.recipe).mask.shape == (48, 48)


def test_the_run_folder_holds_what_is_listed(run):
    listed = {name.split("/")[0] for name in first_column(section("The run folder"))}
    assert {path.name for path in (run / "RUN").iterdir()} == listed


def test_the_history_is_read_as_shown(run, monkeypatch, capsys):
    monkeypatch.chdir(run)
    exec(blocks("train.md", "python")[0], {})
    assert capsys.readouterr().out.startswith("finished ")


def test_training_from_python_is_called_as_shown(run, monkeypatch, capsys):
    """The call itself takes twenty minutes: what it is given is looked at, and it answers with invented events."""
    asked = {}

    def answer(data, **given):
        asked.update(given, images=len(data))
        yield Validated(7, "ap_50", 0.5, True, {}, 0.1)
        yield Finished(7, 0.5, Path("RUN/model.zip"), 1.0)

    monkeypatch.chdir(run)
    monkeypatch.setattr(microtome, "train", answer, raising=False)
    exec(blocks("train.md", "python")[1], {})
    assert capsys.readouterr().out.split() == ["7", "0.5", "RUN/model.zip"]
    assert asked.pop("images") == len(samples())
    recipe = TrainingRecipe.from_document(asked.pop("recipe"))
    assert recipe == replace_budget(TrainingRecipe(), time="20m")
    assert asked == {"out": "RUN"}


def replace_budget(recipe: TrainingRecipe, **budget: str) -> TrainingRecipe:
    return recipe.model_copy(update={"budget": recipe.budget.model_copy(update=budget)})
