"""Finding a data set: which layout, from a folder, a file or a zip; what is kept, what is refused."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import collect_warnings
from microtome.learn.data.find import find_dataset, opened
from microtome.learn.data.load import load, samples


def test_a_zip_is_the_folder_it_packs(folder):
    folder.picture("cells/train/images/a.png", "cells/train/images/b.png")
    folder.mask("cells/train/masks/a.png", "cells/train/masks/b.png")
    packed = folder.root.parent / "cells.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(folder.root.rglob("*.png")):
            archive.write(path, path.relative_to(folder.root))
    plain = find_dataset(folder.root / "cells", kind="instance")
    with opened(packed, kind="instance") as dataset:
        assert [(entry.name, entry.split) for entry in dataset] == [(entry.name, entry.split) for entry in plain]
        assert (np.asarray(load(dataset, dataset.entries[0]).truth) == np.asarray(load(plain, plain.entries[0]).truth)).all()
        unpacked = dataset.root
    assert not unpacked.exists()
    with pytest.raises(InputError, match="unpacked while it is used"):
        find_dataset(packed)


def test_opened_takes_folders_too(folder):
    folder.picture("images/a.png")
    folder.mask("masks/a.png")
    with opened(folder.root, kind="semantic") as dataset:
        assert (len(dataset), dataset.kind) == (1, "semantic")


def test_images_without_labels_are_kept_and_not_loaded(folder):
    folder.picture("images/a.png", "images/b.png")
    folder.mask("masks/b.png")
    dataset = find_dataset(folder.root, kind="instance")
    assert [entry.truth is None for entry in dataset] == [True, False]
    assert [sample.name for sample in samples(dataset)] == ["images/b"]
    with pytest.raises(InputError, match="images/a: has no labels"):
        load(dataset, dataset.entries[0])


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ((), "no image is there"),
        (("a.png", "b.png"), "images, but no labels that go with them.*ID/images/"),
        (("images/a.png", "masks/b.png"), "none of 1 images has labels; the first problem: images/a.png: no file of this name"),
    ],
)
def test_what_is_no_labelled_data_is_refused_with_the_layouts(folder, files, told):
    folder.root.mkdir()
    folder.picture(*files)
    with pytest.raises(InputError, match=told):
        find_dataset(folder.root)


def test_wrong_use_is_told(folder):
    folder.picture("images/a.png")
    folder.mask("masks/a.png")
    with pytest.raises(RecipeError, match="did you mean by_name"):
        find_dataset(folder.root, layout="by_names")
    with pytest.raises(RecipeError, match="did you mean semantic"):
        find_dataset(folder.root, kind="semantics")
    with pytest.raises(InputError, match="not laid out as by_suffix"):
        find_dataset(folder.root, layout="by_suffix")
    with pytest.raises(InputError, match="no such file or folder"):
        find_dataset(folder.root / "there")
    with pytest.raises(InputError, match="no annotations that are understood"):
        find_dataset(folder.root / "images" / "a.png")
    with pytest.raises(InputError, match="no image is of a channel _dapi"):
        find_dataset(folder.root, channels=("_dapi",))


def test_nothing_is_decoded_where_a_class_list_says_what_labels_are(folder):
    folder.text("images/a.png", "no picture at all")
    folder.text("labels/a.png", "no mask at all")
    folder.text("classes.txt", "background\nroad\n")
    dataset = find_dataset(folder.root)
    assert [entry.name for entry in dataset] == ["images/a"]


def test_hidden_files_and_packing_leftovers_are_passed_over(folder):
    folder.picture("images/a.png", "images/._a.png", "__MACOSX/images/a.png", ".cache/images/b.png")
    folder.mask("masks/a.png", "masks/.thumb.png", "__MACOSX/masks/a.png", ".cache/masks/b.png")
    dataset = find_dataset(folder.root, kind="instance")
    assert [entry.name for entry in dataset] == ["images/a"]
    assert not dataset.problems


def test_the_assumption_is_told_once(folder):
    folder.picture("images/a.png")
    folder.mask("masks/a.png")
    with collect_warnings() as said:
        find_dataset(folder.root)
    assert len(said) == 1
    assert "nothing says what the labels are" in said[0]
