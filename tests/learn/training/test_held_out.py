"""What is held out: apart from what is learned from, able to judge, and told where it is not."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch")

from tests.learn.training.launch import arguments, data_folder, recipe_file  # noqa: E402
from tests.learn.training.tiny import discs, recipe, samples, semantic_samples  # noqa: E402

from microtome.app.cli.main import app  # noqa: E402
from microtome.core.classes import ClassEntry, ClassTable  # noqa: E402
from microtome.core.errors import InputError  # noqa: E402
from microtome.core.events import collect_warnings  # noqa: E402
from microtome.core.raster import Image, InstanceMap, SemanticMap  # noqa: E402
from microtome.core.result import Sample  # noqa: E402
from microtome.learn.data.find import find_dataset  # noqa: E402
from microtome.learn.training.events import Chosen, Stepped, Stopped, Validated, Warned  # noqa: E402
from microtome.learn.training.source import source_of  # noqa: E402
from microtome.learn.training.train import train  # noqa: E402

FEW = recipe(budget={"steps": 4}, validation={"every": 1, "pictures": 0})


def told(events, kind=Chosen):
    """What was said up to the first event of a kind, and this event."""
    said, found = [], None
    for event in events:
        if isinstance(event, kind):
            found = event
            break
        if isinstance(event, Warned):
            said.append(event.message)
    events.close()
    return said, found


def with_class(sample, value, name, table=()):
    pixels = sample.truth.pixels.copy()
    pixels[:6, :6] = value
    return Sample(sample.image, SemanticMap(pixels, classes=ClassTable(tuple(table))), name=name, group=name)


def test_the_held_out_images_may_be_a_zip_too(tmp_path):
    data = data_folder(tmp_path / "data")
    held = shutil.make_archive(str(tmp_path / "held"), "zip", data_folder(tmp_path / "other", 3))
    file = recipe_file(tmp_path / "train.yaml", budget={"steps": 1}, validation={"every": 1, "pictures": 0})
    given = arguments(data, tmp_path / "run", "--recipe", file, "--validate", held, "--allow-dropped", "--quiet")
    assert CliRunner().invoke(app, given).exit_code == 0
    assert (tmp_path / "run" / "model.zip").exists()


def test_images_of_one_group_cannot_be_parted(tmp_path):
    alike = [replace(sample, group="plate 1") for sample in samples()]
    with pytest.raises(InputError, match=r"are of one group, so none can be held out.*--validate"):
        list(train(alike, out=tmp_path, recipe=FEW))


def test_held_out_images_without_an_object_are_refused_as_such(tmp_path):
    empty = Sample(discs(99)[0], InstanceMap(np.zeros((48, 48), np.int32)), name="empty")
    with pytest.raises(InputError, match=r"none of the held-out images holds an object.*--seed"):
        list(train(samples(), out=tmp_path, recipe=FEW, held=[empty]))


def test_held_out_images_of_one_class_are_refused_as_such(tmp_path):
    plain = Sample(discs(99)[0], SemanticMap(np.zeros((48, 48), np.uint8)), name="plain")
    with pytest.raises(InputError, match=r"all labels of the held-out images are class 0.*--seed"):
        list(train(semantic_samples(), out=tmp_path, recipe=FEW, held=[plain]))


def test_a_class_that_only_held_out_images_have_is_told_and_validated(tmp_path):
    pairs = semantic_samples()
    said, found = told(train(pairs[1:], out=tmp_path, recipe=FEW, held=[with_class(pairs[0], 3, "rare")]), Validated)
    assert found.step == 1
    assert any("only held-out images have" in message and "class 3" in message for message in said)


def test_a_class_that_the_first_image_lacks_is_learned(tmp_path):
    pairs = semantic_samples()
    mixed = [*pairs[:3], *(with_class(one, 3, one.name) for one in pairs[3:])]
    assert told(train(mixed, out=tmp_path, recipe=FEW), Validated)[1].step == 1


def test_a_value_that_no_named_class_has_is_refused_with_its_image_before_training(tmp_path):
    table = (ClassEntry(0, "sky", "background"), ClassEntry(1, "cell"))
    named = [Sample(one.image, SemanticMap(one.truth.pixels, classes=ClassTable(table)), name=one.name) for one in semantic_samples()]
    with pytest.raises(InputError, match=r"strange: its labels have the value 3, which is none of the data's classes \(0, 1\)"):
        list(train([*named[1:], with_class(named[0], 3, "strange", table)], out=tmp_path, recipe=FEW))


def test_coloured_held_out_images_of_grey_ones_make_all_grey(tmp_path):
    first, *others = samples()
    coloured = Sample(Image(np.repeat(first.image.pixels[..., None], 3, -1), axes="yxc"), first.truth, name="coloured")
    events = train(others, out=tmp_path, recipe=FEW, held=[coloured])
    chosen = next(event for event in events if isinstance(event, Chosen))
    assert chosen.document["train"]["prepare"][0] == "to_grey"
    assert told(events, Validated)[1].step == 1


def test_an_image_that_is_learned_from_may_not_be_held_out_as_well(tmp_path):
    data = find_dataset(data_folder(tmp_path / "data"), kind="instance")
    with pytest.raises(InputError, match=r"8 images are both learned from and held out .*--validate"):
        list(train(data, out=tmp_path / "run", recipe=FEW, held=data))


def test_a_sample_that_is_learned_from_may_not_be_held_out_as_well(tmp_path):
    with pytest.raises(InputError, match=r"2 images are both learned from and held out \(image 2, image 3\)"):
        source_of(samples(4), tmp_path, held=samples(6)[2:], share=0.25, seed=0)


def test_samples_of_one_name_are_refused(tmp_path):
    first, second, *others = samples()
    with pytest.raises(InputError, match=r"1 names are those of several samples \(image 0\)"):
        source_of([first, replace(second, name="image 0"), *others], tmp_path, share=0.25, seed=0)


def test_images_of_no_part_are_learned_from_beside_a_val(tmp_path):
    whole = find_dataset(data_folder(tmp_path / "data", 6), kind="instance")
    data = whole.only([replace(entry, split="val" if number < 2 else "") for number, entry in enumerate(whole)])
    source = source_of(data, tmp_path, share=0.25, seed=0)
    assert [entry.name for entry in source.held.dataset] == [entry.name for entry in data.part("val")]
    assert len(source.train.dataset) == 4


def test_groups_that_given_splits_tear_apart_are_told(tmp_path):
    data_folder(tmp_path / "data" / "train", 4)
    data_folder(tmp_path / "data" / "val", 2)
    for split, names in (("train", "0123"), ("val", "01")):
        for part in ("images", "masks"):
            for number in names:
                patient = int(number) if split == "train" else int(number) + 3
                path = tmp_path / "data" / split / part / f"image_{number}.tif"
                path.rename(path.with_name(f"p{patient}_{split}.tif"))
    data = find_dataset(tmp_path / "data", kind="instance", group=r"(p\d)_")
    said, _ = told(train(data, out=tmp_path / "run", recipe=FEW))
    assert any("1 groups have images both to learn from and held out (p3)" in message for message in said)


def test_a_test_part_is_never_looked_at_also_not_by_a_run_that_goes_on(tmp_path):
    whole = find_dataset(data_folder(tmp_path / "data", 8), kind="instance")
    data = whole.only([replace(entry, split="test" if number < 2 else "train") for number, entry in enumerate(whole)])
    for resume in (False, True):
        with collect_warnings() as said:
            source = source_of(data, tmp_path, share=0.25, seed=0, resume=resume)
        assert any("test is not looked at" in one for one in said)
        seen = {entry.name for part in (source.train, source.held) for entry in part.dataset}
        assert seen == {entry.name for entry in data.part("train")}


def test_data_with_nothing_but_a_test_part_is_refused(tmp_path):
    whole = find_dataset(data_folder(tmp_path / "data", 4), kind="instance")
    data = whole.only([replace(entry, split="test") for entry in whole])
    with pytest.raises(InputError, match="all of test, and none of train or val; name the part to learn from `train`"):
        source_of(data, tmp_path, share=0.25, seed=0)


def test_going_on_asks_for_the_held_out_images_that_were_given(tmp_path):
    data, held = (find_dataset(data_folder(tmp_path / name, count), kind="instance") for name, count in (("data", 6), ("held", 3)))
    events = list(train(data, out=tmp_path / "run", recipe=FEW, held=held, stop=lambda: True))
    assert isinstance(events[-1], Stopped)
    with pytest.raises(InputError, match=r"split\.csv: the held-out images of this run were given; give them again \(--validate\)"):
        list(train(data, out=tmp_path / "run", resume=True))
    assert told(train(data, out=tmp_path / "run", resume=True, held=held), Stepped)[1].step == 4


def test_a_split_that_is_there_already_is_used_and_told(tmp_path):
    told(train(samples(), out=tmp_path, recipe=FEW))
    before = (tmp_path / "split.csv").read_text()
    said, _ = told(train(samples(), out=tmp_path, recipe=recipe(seed=5)))
    assert any("split.csv was there already" in message for message in said)
    assert (tmp_path / "split.csv").read_text() == before
