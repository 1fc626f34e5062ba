"""images/ and masks/ by name, in the variants people have."""

from __future__ import annotations

import numpy as np
import pytest

from microtome.core.events import collect_warnings
from microtome.learn.data.layouts import by_name
from microtome.learn.data.load import load_image


def found(folder, **options):
    assert by_name.recognise(folder.root)
    entries, problems = by_name.find(folder.root, **options)
    return {entry.name: entry for entry in entries}, problems


def test_pairs_by_stem_whatever_the_suffix_and_depth(folder):
    folder.picture("images/a.png", "images/plate 1/a.png", "images/plate 1/b.10.png")
    folder.mask("labels/a.bmp", "labels/plate 1/a.png", "labels/plate 1/b.10.gif")
    entries, problems = found(folder)
    assert {name: entry.truth.path.relative_to(folder.root).as_posix() for name, entry in entries.items()} == {
        "images/a": "labels/a.bmp",
        "images/plate 1/a": "labels/plate 1/a.png",
        "images/plate 1/b.10": "labels/plate 1/b.10.gif",
    }
    assert not problems


@pytest.mark.parametrize(
    ("image", "mask"), [("a", "a_mask"), ("a", "A_Label"), ("a_img", "a_masks"), ("a", "a-gt"), ("A", "a"), ("a", "a_seg")]
)
def test_names_may_differ_in_endings_and_case(folder, image, mask):
    folder.picture(f"Images/{image}.png")
    folder.mask(f"Masks/{mask}.png")
    entries, problems = found(folder)
    assert entries[f"Images/{image}"].truth.path.stem == mask
    assert not problems


def test_an_exact_name_goes_before_an_ending(folder):
    folder.picture("images/a.png", "images/a_mask.png")
    folder.mask("masks/a_mask.png", "masks/a.png")
    entries, _ = found(folder)
    assert {name: entry.truth.path.stem for name, entry in entries.items()} == {"images/a": "a", "images/a_mask": "a_mask"}


@pytest.mark.parametrize(
    ("images", "masks", "split"),
    [
        ("train/images", "train/masks", "train"),
        ("images/val", "labels/val", "val"),
        ("train", "train_masks", "train"),
        ("valid", "validannot", "val"),
        ("Test_images", "Test_labels", "test"),
        ("kind/test/images", "kind/test/labels", "test"),
        ("JPEGImages", "SegmentationClass", ""),
        ("img_dir/train", "ann_dir/train", "train"),
        ("imagesTr", "labelsTr", "train"),
        ("contrast/images", "contrast/masks", ""),
    ],
)
def test_splits_are_read_from_folders_above_below_and_beside(folder, images, masks, split):
    folder.picture(f"{images}/a.png", f"{images}/b.png")
    folder.mask(f"{masks}/a.png", f"{masks}/b.png")
    entries, problems = found(folder)
    assert {entry.split for entry in entries.values()} == {split}
    assert list(entries) == [f"{images}/a", f"{images}/b"]
    assert not problems


def test_what_has_no_partner_is_told_and_images_are_kept(folder):
    folder.picture("images/a.png", "images/b.png")
    folder.mask("masks/a.png", "masks/c.png")
    entries, problems = found(folder)
    assert entries["images/b"].truth is None
    assert [(problem.kind, problem.file) for problem in problems] == [
        ("image-without-mask", "images/b.png"),
        ("mask-without-image", "masks/c.png"),
    ]


def test_files_that_differ_in_the_suffix_only_are_told(folder):
    folder.picture("images/a.png", "images/a.bmp")
    folder.mask("masks/a.png", "masks/a.gif")
    entries, problems = found(folder)
    assert len(entries) == 1
    assert [(problem.kind, problem.file, problem.others) for problem in problems] == [
        ("same-name-twice", "masks/a.png", ("masks/a.gif",)),
        ("same-name-twice", "images/a.png", ("images/a.bmp",)),
    ]


def test_of_two_folders_of_labels_one_is_read_and_the_other_named(folder):
    folder.picture("images/a.png")
    folder.mask("masks/a.png", "labels/a.png")
    with collect_warnings() as said:
        entries, _ = found(folder)
    assert entries["images/a"].truth.path.parent.name == "masks"
    assert len(said) == 1
    assert "labels" in said[0]


def test_channels_in_folders_are_stacked_in_the_order_given(folder):
    folder.picture("images/actin/a.png", "images/dapi/a.png", "images/actin/b.png", "images/dapi/b.png", "images/dapi/c.png")
    folder.mask("masks/a.png", "masks/b.png")
    entries, problems = found(folder, channels=("dapi", "actin"))
    assert list(entries) == ["images/a", "images/b"]
    image = load_image(entries["images/a"])
    assert image.channels == ("dapi", "actin")
    assert image.axes == "yxc"
    assert [(problem.kind, problem.file, problem.values) for problem in problems] == [("channel-missing", "images/dapi/c.png", ("actin",))]


def test_channels_in_folders_are_seen_and_told(folder):
    folder.picture("images/actin/a.png", "images/dapi/a.png")
    folder.mask("masks/a.png")
    with collect_warnings() as said:
        entries, _ = found(folder)
    assert [path.parent.name for path in entries["images/a"].images] == ["actin", "dapi"]
    assert "actin, dapi are taken for channels" in said[0]


def test_folders_that_the_masks_share_are_no_channels(folder):
    folder.picture("images/p1/a.png", "images/p2/a.png")
    folder.mask("masks/p1/a.png", "masks/p2/a.png")
    entries, _ = found(folder)
    assert list(entries) == ["images/p1/a", "images/p2/a"]


def test_channels_by_the_ending_of_names(folder):
    folder.picture("images/a_dapi.png", "images/a_dab.png", "images/a_light.png")
    folder.mask("masks/a_mask.png")
    with collect_warnings() as said:
        entries, problems = found(folder, channels=("_dapi", "_dab"))
    assert load_image(entries["images/a"]).channels == ("dapi", "dab")
    assert entries["images/a"].truth.path.stem == "a_mask"
    assert not problems
    assert "a_light" in said[0]


def test_volumes_are_found_and_loaded(folder):
    import tifffile

    from microtome.learn.data.find import find_dataset
    from microtome.learn.data.load import load

    volume = np.zeros((3, 8, 9), np.uint8)
    volume[1, 2:4, 2:5] = 7
    for part in ("images", "masks"):
        (folder.root / part).mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(folder.root / part / "v.tif", volume, photometric="minisblack", metadata={"axes": "ZYX"})
    dataset = find_dataset(folder.root, kind="instance")
    sample = load(dataset, dataset.entries[0])
    assert sample.image.axes == sample.truth.axes == "zyx"
    assert (np.asarray(sample.truth) == volume).all()


def test_nnunet_names_channels_by_number(folder):
    folder.picture("imagesTr/case_01_0000.png", "imagesTr/case_01_0001.png", "imagesTs/case_02_0000.png")
    folder.mask("labelsTr/case_01.png")
    entries, _ = found(folder, channels=("_0000", "_0001"))
    assert [(name, len(entry.images), entry.split) for name, entry in entries.items()] == [("imagesTr/case_01", 2, "train")]


def test_nifti_volumes_pair_by_the_whole_double_suffix(folder):
    from microtome.core.raster import Image, SemanticMap
    from microtome.io.images import write
    from microtome.learn.data.find import find_dataset
    from microtome.learn.data.load import load

    volume = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5) % 3
    write(Image(volume, axes="zyx", spacing=(2.0, 1.0, 1.0), unit="mm"), folder.root / "imagesTr" / "case_01_0000.nii.gz")
    write(SemanticMap(volume, axes="zyx", spacing=(2.0, 1.0, 1.0), unit="mm"), folder.root / "labelsTr" / "case_01.nii.gz")
    dataset = find_dataset(folder.root, kind="semantic")
    sample = load(dataset, dataset.entries[0])
    assert dataset.entries[0].name == "imagesTr/case_01_0000"
    assert (np.asarray(sample.truth) == volume).all()
    assert sample.image.spacing == (2.0, 1.0, 1.0)
