"""Folders as known sets and programs lay them out: what is paired with what, what is left out, and that it is told."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.learn.data.find import find_dataset, opened
from microtome.learn.data.load import load


def found(folder, **options):
    with collect_warnings() as said:
        dataset = find_dataset(folder.root, **options)
    return dataset, said


def masks_of(dataset):
    return {
        entry.name: entry.truth and getattr(entry.truth, "path", None) and entry.truth.path.relative_to(dataset.root).as_posix()
        for entry in dataset
    }


PAIRS = {
    "CamVid": ("701_StillsRaw_full/0001TP_1", "LabeledApproved_full/0001TP_1_L", ""),
    "Cityscapes": ("leftImg8bit/train/ulm/ulm_1_leftImg8bit", "gtFine/train/ulm/ulm_1_gtFine_labelIds", "train"),
    "ISIC": ("ISIC2018_Task1-2_Training_Input/ISIC_1", "ISIC2018_Task1_Training_GroundTruth/ISIC_1_segmentation", "train"),
    "CVC-ClinicDB": ("Original/1", "Ground Truth/1", ""),
    "DRIVE": ("test/images/01_test", "test/1st_manual/01_manual1", "test"),
    "MoNuSeg": ("Tissue Images/TCGA-1", "Masks/TCGA-1", ""),
    "input and target": ("input/1", "target/1", ""),
    "counted": ("images/img_1", "masks/mask_1", ""),
    "counted without a mark": ("images/image1", "labels/label1", ""),
    "CHASE": ("Image_01L", "Image_01L_1stHO", ""),
    "Cellpose's program": ("001", "001_cp_masks", ""),
    "GlaS": ("train_1", "train_1_anno", ""),
    "DeepGlobe": ("train/1_sat", "train/1_mask", "train"),
    "counted in one folder": ("img_1", "mask_1", ""),
    "deep": ("a/b/c/d/e/images/1", "a/b/c/d/e/masks/1", ""),
}


@pytest.mark.parametrize("name", PAIRS)
def test_images_go_with_their_masks(folder, name):
    image, mask, split = PAIRS[name]
    folder.picture(f"{image}.png")
    folder.mask(f"{mask}.png")
    dataset, _ = found(folder, kind="instance")
    assert masks_of(dataset) == {image: f"{mask}.png"}
    assert [entry.split for entry in dataset] == [split]
    assert not dataset.problems


def test_the_field_of_view_is_no_label(folder):
    for name in ("training/images/21_training", "test/images/01_test"):
        folder.picture(f"{name}.png")
    folder.mask("training/1st_manual/21_manual1.png", "training/mask/21_training_mask.png", "test/mask/01_test_mask.png")
    dataset, said = found(folder, kind="semantic")
    assert masks_of(dataset) == {"training/images/21_training": "training/1st_manual/21_manual1.png", "test/images/01_test": None}
    assert "1st_manual is read" in said[0]
    assert "test/mask: is not read" in said[1]


@pytest.mark.parametrize("place", ["imagesTs", "test", "test/images"])
def test_folders_without_labels_are_kept_and_told(folder, place):
    folder.picture("train/a.png", f"{place}/b.png", f"{place}/c.png")
    folder.mask("train_masks/a.png")
    dataset, _ = found(folder, kind="instance")
    assert [(entry.name, entry.split, entry.truth is None) for entry in dataset] == [
        ("train/a", "train", False), (f"{place}/b", "test", True), (f"{place}/c", "test", True)
    ]  # fmt: skip
    assert [(problem.kind, problem.file, problem.severity) for problem in dataset.problems] == [("image-without-mask", place, "note")]


def test_numbered_channels_are_one_image(folder):
    folder.picture("imagesTr/a_0000.png", "imagesTr/a_0001.png", "imagesTr/b_0000.png", "imagesTr/b_0001.png")
    folder.mask("labelsTr/a.png", "labelsTr/b.png")
    dataset, said = found(folder, kind="instance")
    assert [(entry.name, len(entry.images)) for entry in dataset] == [("imagesTr/a", 2), ("imagesTr/b", 2)]
    assert "_0000, _0001 are taken for channels" in said[0]


def test_frames_that_end_like_channels_are_images(folder):
    folder.picture("images/a_0000.png", "images/a_0001.png")
    folder.mask("masks/a_0000.png", "masks/a_0001.png")
    dataset, _ = found(folder, kind="instance")
    assert len(dataset) == 2


def test_names_alone_pair_what_lies_in_other_folders(folder):
    folder.picture("images/p1/p1_a.png", "images/p2/p2_a.png", "images/p1/x.png", "images/p2/x.png")
    folder.mask("masks/p1_a.png", "masks/p2_a.png", "masks/x.png")
    dataset, said = found(folder, kind="instance")
    assert masks_of(dataset) == {"images/p1/p1_a": "masks/p1_a.png", "images/p2/p2_a": "masks/p2_a.png", "images/p1/x": None,
                                 "images/p2/x": None}  # fmt: skip
    assert "2 masks lie in other folders" in said[0]


def test_further_masks_of_an_image_are_told_or_joined(folder):
    folder.picture("images/a.png", "images/b.png")
    folder.mask("masks/a_mask.png", "masks/a_seg.png", "masks/b_mask.png")
    dataset, said = found(folder, kind="instance")
    assert masks_of(dataset) == {"images/a": "masks/a_mask.png", "images/b": "masks/b_mask.png"}
    assert "*_seg (1)" in said[0]
    assert not dataset.problems


def test_two_masks_of_one_image_are_one_mask(folder):  # as in BUSI
    folder.picture("benign (1).png", "benign (2).png")
    folder.mask("benign (1)_mask.png", values=[[255, 0, 0, 0]] * 2)
    folder.mask("benign (1)_mask_1.png", values=[[0, 0, 0, 255]] * 2)
    folder.mask("benign (2)_mask.png", values=[[0, 255, 0, 0]] * 2)
    dataset, _ = found(folder)
    assert dataset.kind == "semantic"
    assert [entry.name for entry in dataset] == ["benign (1)", "benign (2)"]
    truth = load(dataset, dataset.entries[0]).truth
    assert [truth.pixels[0, column] for column in (0, 5, 15)] == [255, 0, 255]


def test_one_mask_an_object_read_as_classes_is_foreground(folder):
    folder.picture("7c/images/7c.png")
    folder.mask("7c/masks/x.png", values=[[255, 0, 0, 0]] * 2)
    folder.mask("7c/masks/y.png", values=[[0, 0, 0, 255]] * 2)
    dataset, _ = found(folder, kind="semantic")
    truth = load(dataset, dataset.entries[0]).truth
    assert type(truth).__name__ == "SemanticMap"
    assert [truth.pixels[0, column] for column in (0, 5, 15)] == [1, 0, 1]


def test_one_odd_folder_does_not_make_the_rest_odd(folder):
    folder.picture("p1/images/a.png", "p1/images/b.png", "p2/images/c.png")
    folder.mask("p1/masks/a.png", "p1/masks/b.png", "p2/masks/c_final.png")
    dataset, _ = found(folder, kind="instance")
    assert masks_of(dataset) == {"p1/images/a": "p1/masks/a.png", "p1/images/b": "p1/masks/b.png", "p2/images/c": None}


def voc(folder, *parts):
    for stem in ("a", "b"):
        folder.picture(f"VOC2012/JPEGImages/{stem}.png")
        for part in parts:
            folder.mask(f"VOC2012/{part}/{stem}.png", values=((0, 1, 255, 2), (0, 1, 255, 2)))
    folder.text("VOC2012/ImageSets/Segmentation/train.txt", "a\n")
    folder.text("VOC2012/ImageSets/Segmentation/val.txt", "b\n")


def test_voc_classes_ignore_their_borders(folder):
    voc(folder, "SegmentationClass", "SegmentationObject")
    dataset, said = found(folder)
    assert dataset.kind == "semantic"
    assert {entry.truth.path.parent.name for entry in dataset} == {"SegmentationClass"}
    assert [entry.split for entry in dataset] == ["train", "val"]
    truth = load(dataset, dataset.entries[0]).truth
    assert {entry.value: entry.role for entry in truth.classes}[255] == "ignore"
    assert any("255 is Pascal VOC's" in message for message in said)


@pytest.mark.parametrize(("kind", "parts"), [("instance", ("SegmentationClass", "SegmentationObject")), (None, ("SegmentationObject",))])
def test_voc_objects_have_no_object_255(folder, kind, parts):
    voc(folder, *parts)
    dataset, _ = found(folder, kind=kind)
    assert dataset.kind == "instance"
    assert {entry.truth.path.parent.name for entry in dataset} == {"SegmentationObject"}
    assert load(dataset, dataset.entries[0]).truth.ids.tolist() == [1, 2]


def test_accents_are_compared_however_they_are_written(folder):
    name = "größe é"
    folder.picture(f"images/{unicodedata.normalize('NFD', name)}.png")
    folder.mask(f"masks/{unicodedata.normalize('NFC', name)}.png")
    dataset, _ = found(folder, kind="instance")
    assert not dataset.problems


def test_links_in_circles_end_and_double_nothing(folder):
    folder.picture("images/a.png")
    folder.mask("masks/a.png")
    for number in range(3):
        (folder.root / f"again {number}").symlink_to(folder.root)
    (folder.root / "empty").mkdir()
    for number in range(3):
        (folder.root / "empty" / f"round {number}").symlink_to(folder.root / "empty")
    dataset, _ = found(folder, kind="instance")
    assert [entry.name for entry in dataset] == ["images/a"]


def test_cellposes_own_files_are_no_images(folder):
    folder.picture("a.png")
    folder.mask("a_cp_masks.png")
    np.save(folder.root / "a_seg.npy", {"masks": 1})
    dataset, _ = found(folder, kind="instance")
    assert [entry.name for entry in dataset] == ["a"]


@pytest.mark.parametrize(
    ("pictures", "others", "told"),
    [
        (("x/a.png", "y/a.png"), (), "1 in x/, 1 in y/.*put the images into a folder images/"),
        (("Images/a.png",), ("Labels/a.mat",), r"also 1 \.mat"),
        (("a_t1.png", "a_t2.png", "a_seg.png"), (), r"a_seg.png looks like a mask.*channels: \('_t1', '_t2'\)"),
        (("b_mask.png",), (), "b_mask.png looks like a mask, and no image is called b"),
        (("a.png",), ("a_seg.npy",), "Cellpose's _seg.npy files are not read"),
        ((), ("notes.docx",), r"no image is there; there are also 1 \.docx"),
    ],
)
def test_what_lies_there_is_told_where_no_layout_fits(folder, pictures, others, told):
    folder.picture(*pictures)
    for name in others:
        folder.text(name, "x")
        if name.endswith(".npy"):
            np.save(folder.root / name, {"masks": 1})
    with pytest.raises(InputError, match=told):
        find_dataset(folder.root)


def test_the_first_mask_is_named_where_no_names_agree(folder):
    folder.picture("images/001.png")
    folder.mask("masks/1.png")
    with pytest.raises(InputError, match=r"the first mask is masks/1\.png"):
        find_dataset(folder.root, kind="instance")


@pytest.mark.parametrize(("name", "told"), [("cells.zip", "the zip is damaged"), ("cells.tar.gz", "unpack it, and name the folder")])
def test_archives_that_cannot_be_unpacked_are_told(tmp_path, name, told):
    (tmp_path / name).write_bytes(b"no archive")
    with pytest.raises(InputError, match=told), opened(tmp_path / name):
        pass


def test_masks_that_cannot_be_read_are_not_called_empty(folder):
    folder.picture("images/a.png")
    folder.save("masks/a.jpg", np.zeros((12, 16), np.uint8))
    _, said = found(folder)
    assert "no mask that was looked at could be read" in said[0]
    assert "JPEG changes values" in said[0]


def test_colours_without_a_list_say_what_is_needed(folder):
    folder.picture("images/a.png")
    folder.save("masks/a.png", np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8))
    dataset, _ = found(folder)
    assert dataset.kind == "semantic"
    with pytest.raises(InputError, match=r"class_dict\.csv in the data folder, with the columns name, r, g, b"):
        load(dataset, dataset.entries[0])


def test_half_of_the_data_leads_to_the_folder_above(folder):
    folder.picture("images/a.png")
    folder.mask("masks/a.png")
    with pytest.raises(InputError, match=r"name the folder above, .*data, which has the other half"):
        find_dataset(folder.root / "images")
