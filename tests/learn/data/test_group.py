"""Groups from a manifest, from folders, or from names."""

from __future__ import annotations

import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import collect_warnings
from microtome.learn.data.find import find_dataset


def pairs(folder, *names):
    folder.picture(*(f"{name}.png" for name in names))
    folder.mask(*(f"{name.replace('images', 'masks', 1)}.png" for name in names))


def groups(folder, **options):
    with collect_warnings() as said:
        dataset = find_dataset(folder.root, kind="instance", **options)
    return dataset, [entry.group for entry in dataset], said


def test_an_expression_searches_names(folder):
    pairs(folder, "images/p1_a", "images/p1_b", "images/p23_a", "images/other")
    dataset, found, said = groups(folder, group=r"(p\d+)_")
    assert dict(zip([entry.name for entry in dataset], found, strict=True)) == {
        "images/other": "",
        "images/p1_a": "p1",
        "images/p1_b": "p1",
        "images/p23_a": "p23",
    }
    assert dataset.groups().count("images/other") == 1
    assert "does not match 1 of 4 images" in said[0]


@pytest.mark.parametrize(
    ("pattern", "told"), [("p\\d+_", "0 groups in parentheses"), ("(p)(\\d)", "2 groups"), ("(p", "no regular expression")]
)
def test_an_expression_has_one_group(folder, pattern, told):
    pairs(folder, "images/p1_a")
    with pytest.raises(RecipeError, match=told):
        find_dataset(folder.root, kind="instance", group=pattern)


def test_an_expression_that_matches_nothing_is_an_error(folder):
    pairs(folder, "images/a")
    with pytest.raises(InputError, match=r"matches no image's name; the first is 'images/a'"):
        find_dataset(folder.root, kind="instance", group="(p)")


def test_folders_are_groups_without_splits_and_images(folder):
    pairs(folder, "train/images/p1/a", "train/images/p1/b", "train/images/p2/a", "val/images/p1/c")
    dataset, found, _ = groups(folder, group="folder")
    assert found == ["p1", "p1", "p2", "p1"]
    (problem,) = dataset.problems
    assert (problem.kind, problem.file, problem.others, problem.values) == (
        "group-in-two-splits", "train/images/p1/a", ("val/images/p1/c",), ("p1",)
    )  # fmt: skip
    assert "2 in train, 1 in val" in problem.message


def test_folders_that_tell_nothing_are_an_error(folder):
    pairs(folder, "images/a")
    with pytest.raises(InputError, match="no image lies in a folder of its own"):
        find_dataset(folder.root, kind="instance", group="folder")


@pytest.mark.parametrize(("key", "a", "b"), [("file", "a.tif", "b.png"), ("stem", "a", "b"), ("name", "images/a", "images/b")])
@pytest.mark.parametrize("place", ["manifest.csv", "../manifest.csv"])
def test_a_manifest_beside_or_above_is_used_and_told(folder, place, key, a, b):
    pairs(folder, "images/a", "images/b", "images/c")
    folder.text(place, f"{key},group,split\n{a},g1,train\n{b},g1,validation\nzz,g9,train\n")
    dataset, found, said = groups(folder)
    assert found == ["g1", "g1", ""]
    assert [entry.split for entry in dataset] == ["train", "val", ""]
    assert "column 'group': 1 groups of 2 images" in said[0]
    assert "1 of 3 images are not in it (first 'images/c')" in said[1]


def test_a_manifest_without_groups_is_passed_over_unless_it_was_given(folder):
    pairs(folder, "images/a")
    path = folder.text("manifest.csv", "file,split\na.png,train\n")
    assert groups(folder)[1:] == ([""], [])
    with pytest.raises(InputError, match="needs a column 'group'"):
        find_dataset(folder.root, kind="instance", manifest=path)
    with pytest.raises(RecipeError, match="give one of them"):
        find_dataset(folder.root, kind="instance", manifest=path, group="folder")


def test_known_groups(labelled_sets):
    with collect_warnings():
        dataset = find_dataset(labelled_sets / "dsb2018_nuclei" / "fluorescence")
    assert all(entry.group for entry in dataset)
    assert not dataset.problems


def test_a_manifest_may_be_written_by_a_spreadsheet(folder):
    pairs(folder, "images/a", "images/b")
    folder.text("manifest.csv", "File; Group\r\na.png;p1\r\nb.png;p2\r\n")
    assert groups(folder)[1] == ["p1", "p2"]


def test_whole_paths_in_a_manifest_go_before_names(folder):
    pairs(folder, "images/x/a", "images/y/a")
    folder.text("manifest.csv", "file,group\nimages/x/a.png,p1\nimages/y/a.png,p2\na.png,p3\n")
    assert groups(folder)[1] == ["p1", "p2"]


def test_a_manifest_that_contradicts_itself(folder):
    pairs(folder, "images/x/a", "images/y/a")
    path = folder.text("manifest.csv", "file,group\na.png,p1\na.png,p2\n")
    _, found, said = groups(folder)
    assert found == ["", ""]
    assert "'a.png' is there twice, with the groups 'p1' and 'p2'" in said[0]
    with pytest.raises(InputError, match="there twice"):
        find_dataset(folder.root, kind="instance", manifest=path)
