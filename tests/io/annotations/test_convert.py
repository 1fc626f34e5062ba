"""Conversions keep what both formats hold, tell the rest, and trust no archive."""

import json
import shutil
import zipfile
from itertools import permutations

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import microtome.io.annotations as formats
from microtome.app.cli.main import app
from microtome.core.errors import InputError, MicrotomeError, RecipeError
from microtome.core.events import collect_warnings
from microtome.core.kernels.areas import runs_of
from microtome.core.kernels.run_lengths import decode, encode
from microtome.core.objects import Object, Objects
from microtome.io.annotations.convert import convert

NAMES = {"coco": "c.json", "via": "v.json", "cvat": "c.xml", "kaggle": "k.csv"}
EXACT = ("coco", "labelme", "cvat", "geojson", "imagej")


def command(*arguments):
    result = CliRunner().invoke(app, ["convert", *map(str, arguments)])
    if isinstance(result.exception, MicrotomeError):
        return 2, result.stdout, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def some():
    """Two images: a frame with a spot in its hole and a bar that lies over it, and nothing."""
    frame = np.zeros((20, 30), bool)
    frame[2:12, 3:14] = True
    frame[4:10, 5:12] = False
    frame[6, 8] = True
    bar = np.zeros((20, 30), bool)
    bar[8:10, 1:29] = True
    items = (Object(5, runs=encode(frame), class_name="frame", score=0.5), Object(2, runs=encode(bar), class_name="bar"))
    return [Objects((20, 30), items, "one/a.png"), Objects((20, 30), (), "one/b.png")]


@pytest.fixture
def pictures(tmp_path):
    for name in "ab":
        path = tmp_path / "pictures" / "one" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.zeros((20, 30), np.uint8))
    return tmp_path / "pictures"


def source(tmp_path, name):
    path = tmp_path / NAMES.get(name, name)
    formats.write(path, some(), format=name)
    return path


def areas(images):
    return [[(item.number, item.class_name, item.score, decode(runs_of(item, one.shape)).tolist()) for item in one.items] for one in images]


@pytest.mark.parametrize(("first", "second"), list(permutations(EXACT, 2)))
def test_there_and_back_is_the_same_where_both_formats_hold_it_all(tmp_path, first, second):
    one = convert(source(tmp_path, first), tmp_path / "there" / NAMES.get(second, "labels"), to=second)
    two = convert(one.path, tmp_path / "back" / NAMES.get(first, "labels"), to=first)
    assert (one.lost, two.lost) == ({}, {})
    assert (one.images, one.objects, one.left_out) == (2, 2, ())
    back = formats.read(two.path, format=first)
    assert areas(back) == areas(some())
    assert [image.image for image in back] == ["one/a.png", "one/b.png"]


@pytest.mark.parametrize("to", formats.FORMATS)
@pytest.mark.parametrize("name", formats.FORMATS)
def test_every_format_leads_to_every_other(tmp_path, pictures, name, to):
    with collect_warnings():
        done = convert(source(tmp_path, name), tmp_path / "out" / NAMES.get(to, "labels"), to=to, images=pictures)
        back = formats.read(done.path, format=to, shapes={"one/a.png": (20, 30), "one/b.png": (20, 30)})
    assert (done.images, [len(one) for one in back]) == (2, [2, 0] if not (name == "voc" and to in ("kaggle", "masks")) else [0, 0])
    if name == "voc" and to in ("kaggle", "masks"):  # boxes have no area
        assert done.lost["boxes without an area"] == 2


def test_the_command_prints_the_account(tmp_path):
    path = source(tmp_path, "coco")
    code, out, said = command(path, tmp_path / "via.json", "--to", "via")
    assert (code, said) == (0, "")
    printed = ["2 images with 2 objects in", "lost    holes filled in: 1", "lost    pixels gained by filled holes: 41"]
    assert out.splitlines() == [f"{printed[0]} {tmp_path / 'via.json'}", *printed[1:]]
    code, out, _ = command(path, tmp_path / "c.xml", "--to", "cvat", "--json")
    assert json.loads(out) == {"out": str(tmp_path / "c.xml"), "format": "cvat", "images": 2, "objects": 2, "lost": {}, "left_out": [],
                               "notes": []}  # fmt: skip


def test_bad_entries_stop_it_or_are_left_out_with_code_1(tmp_path):
    path = source(tmp_path, "labelme")
    document = json.loads((path / "one" / "a.json").read_text())
    document["shapes"][0]["points"] = [[0, 0]]
    (path / "one" / "a.json").write_text(json.dumps(document))
    code, _, said = command(path, tmp_path / "c.json", "--to", "coco")
    assert code == 2
    assert "a.json: shapes[0] (frame): expected 2 points" in said
    assert not (tmp_path / "c.json").exists()
    code, out, said = command(path, tmp_path / "c.json", "--to", "coco", "--skip-bad")
    assert code == 1
    assert out.startswith("2 images with 1 object ")
    assert said.startswith("bad     ")
    assert "shapes[0] (frame)" in said


def test_nothing_is_overwritten_unasked(tmp_path):
    path = source(tmp_path, "coco")
    (tmp_path / "c.xml").write_text("mine")
    with pytest.raises(RecipeError, match="is there already; add --overwrite"):
        convert(path, tmp_path / "c.xml", to="cvat")
    assert (tmp_path / "c.xml").read_text() == "mine"
    convert(path, tmp_path / "c.xml", to="cvat", overwrite=True)
    (tmp_path / "out" / "one").mkdir(parents=True)
    convert_into = tmp_path / "out"
    (convert_into / "one" / "a.json").write_text("mine")
    (convert_into / "old.json").write_text("mine")
    with pytest.raises(RecipeError, match="is there already"):
        convert(path, convert_into, to="labelme")
    with collect_warnings() as said:
        convert(path, convert_into, to="labelme", overwrite=True)
    assert said == [f"{convert_into}: 1 files that were there before are still there; remove them if they are of an earlier conversion"]


@pytest.mark.parametrize(("to", "out"), [("coco", "labels"), ("cvat", "labels.json"), ("kaggle", "labels.txt")])
def test_one_file_for_all_images_needs_its_suffix(tmp_path, to, out):
    with pytest.raises(RecipeError, match=f"{to} is one file for all images; name a"):
        convert(source(tmp_path, "geojson"), tmp_path / out, to=to)


def test_unknown_formats_have_near_ones(tmp_path):
    with pytest.raises(RecipeError, match="did you mean labelme"):
        convert(tmp_path, tmp_path / "x", to="labelm")
    with pytest.raises(RecipeError, match="did you mean coco"):
        convert(tmp_path, tmp_path / "x", to="coco", format="cocoa")
    (tmp_path / "notes.txt").write_text("nothing of the kind")
    with pytest.raises(InputError, match=r"notes\.txt: of no format that is known"):
        convert(tmp_path / "notes.txt", tmp_path / "x.json", to="coco")
    with pytest.raises(InputError, match="there is no such file"):
        convert(tmp_path / "none", tmp_path / "x.json", to="coco")


# Archives and folders


def zipped(folder, path):
    return shutil.make_archive(str(path.with_suffix("")), "zip", folder)


@pytest.mark.parametrize("name", [name for name in formats.FORMATS if name not in ("yolo", "kaggle")])
def test_a_zip_of_a_format_is_read_like_the_format(tmp_path, name, pictures):
    inside = tmp_path / "inside" / "task"
    inside.mkdir(parents=True)
    formats.write(inside / NAMES.get(name, ""), some(), format=name)
    if name != "masks":
        shutil.copytree(pictures, inside / "images")  # programs pack the pictures too
    with collect_warnings():
        done = convert(zipped(tmp_path / "inside", tmp_path / "task.zip"), tmp_path / "out.json", to="coco")
    assert (done.images, done.objects) == (2, 2)


def test_a_zip_of_rois_is_a_file_of_its_own(tmp_path):
    formats.write(tmp_path / "cells.zip", some()[:1], format="imagej")
    assert convert(tmp_path / "cells.zip", tmp_path / "out.json", to="coco").objects == 2


def test_messages_name_the_zip_and_not_where_it_was_unpacked(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "annotations.xml").write_text("<annotations><version>1.1</version><image")
    path = zipped(folder, tmp_path / "task.zip")
    with pytest.raises(InputError) as error:
        convert(path, tmp_path / "out.json", to="coco")
    assert str(error.value).startswith(f"{path}/annotations.xml: not XML, or cut short")


def test_a_zip_that_climbs_out_is_refused_by_the_name_of_its_member(tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("annotations.xml", "<annotations><version>1.1</version></annotations>")
        archive.writestr("../../evil.txt", "gotcha")
    code, _, said = command(tmp_path / "evil.zip", tmp_path / "out.json", "--to", "coco")
    assert code == 2
    assert "the member '../../evil.txt' leads out of the folder" in said
    assert not (tmp_path / "out.json").exists()


def test_of_several_annotation_files_one_must_be_named(tmp_path):
    folder = tmp_path / "set"
    for part in ("train", "val"):
        formats.write(folder / "annotations" / f"{part}.json", some(), format="coco")
    with pytest.raises(
        InputError, match=r"holds 2 files for many images \(annotations/train\.json \(coco\), annotations/val\.json \(coco\)\)"
    ):
        convert(folder, tmp_path / "out.xml", to="cvat")
    formats.write(folder / "voc", some(), format="voc")
    with pytest.raises(InputError, match="holds voc annotations, and 2 files for many images"):
        convert(folder, tmp_path / "out.xml", to="cvat")
    assert convert(folder, tmp_path / "out.xml", to="cvat", format="voc").lost == {}


# Images


def test_the_folder_of_the_images_gives_sizes_and_names(tmp_path, pictures):
    masks = tmp_path / "masks"
    formats.write(masks, some(), format="masks")
    done = convert(masks, tmp_path / "out.json", to="coco", images=pictures)
    assert [one.image for one in formats.read(done.path)] == ["one/a.png", "one/b.png"]
    with pytest.raises(InputError, match="size of image"):
        convert(source(tmp_path, "yolo"), tmp_path / "out.xml", to="cvat")
    assert convert(tmp_path / "yolo", tmp_path / "out.xml", to="cvat", images=pictures).images == 2


def test_images_that_contradict_or_lack_are_told(tmp_path, pictures):
    cv2.imwrite(str(pictures / "one" / "a.png"), np.zeros((10, 30), np.uint8))
    (pictures / "one" / "b.png").unlink()
    with collect_warnings() as said:
        convert(source(tmp_path, "cvat"), tmp_path / "out.json", to="coco", images=pictures)
    assert said == [
        "1 of 2 annotated images are not in the folder of the images, the first is 'one/b.png'",
        "1 of 2 images have another size than their annotations say, the first is one/a.png: it is 10 x 30, they say 20 x 30",
    ]


def test_masks_of_classes_become_one_object_a_class(tmp_path):
    classes = np.zeros((6, 6), np.uint8)
    classes[:2], classes[4:, :3] = 1, 2
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks" / "well.03.png"), classes * 0 + (classes > 0) * 255)
    with collect_warnings() as said:
        convert(tmp_path / "masks", tmp_path / "out.json", to="coco")
    (image,) = formats.read(tmp_path / "out.json")
    assert (image.image, [(item.class_name, runs_of(item, image.shape).area) for item in image.items]) == ("well.03", [("foreground", 18)])
    assert "each class became one object" in said[1]


def test_numbers_above_what_a_png_holds_choose_tiff(tmp_path):
    (one, _) = some()
    items = (Object(70000, runs=one.items[0].runs), Object(3, runs=one.items[1].runs))
    formats.write(tmp_path / "m", [Objects(one.shape, items, "a.png")], format="masks")
    assert [file.name for file in (tmp_path / "m").iterdir()] == ["a.tif"]
    big = Objects(one.shape, (Object(2**40, runs=one.items[0].runs),), "b.png")
    assert formats.write(tmp_path / "n", [big], format="masks").lost == {"object numbers too large for a mask": 1}


def test_a_mask_without_a_size_is_refused(tmp_path):
    with pytest.raises(InputError, match="the size of the image 'a' is not known"):
        formats.write(tmp_path / "m", [Objects((0, 0), (), "a")], format="masks")
