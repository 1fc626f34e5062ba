"""Documents without trust: what is cut short, hostile or no text is named."""

import pytest

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.io.annotations.document import read_json, read_text, read_xml
from microtome.io.annotations.entries import Entries, field, number, ring

BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><annotation>&c;</annotation>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><annotation>&e;</annotation>'
DTD = '<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><annotation/>'


@pytest.mark.parametrize("text", [BOMB, OUTSIDE, DTD])
def test_entities_and_document_types_are_refused(tmp_path, text):
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(InputError, match=r"a\.xml: declares a document type or entities"):
        read_xml(tmp_path / "a.xml", "annotation")


@pytest.mark.parametrize(
    ("text", "message"), [("<annotation><size>", "cut short"), ("<other/>", "expected the element <annotation> outermost, found <other>")]
)
def test_xml_that_is_not_ours_is_named(tmp_path, text, message):
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(InputError, match=message):
        read_xml(tmp_path / "a.xml", "annotation")


@pytest.mark.parametrize("text", ['{"images": [', '{"images": [1, 2', '{"a": "unfinish', ""])
def test_json_that_ends_too_early_says_so_and_where(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=r"a\.json: line 1, column \d+: the file ends too early"):
        read_json(tmp_path / "a.json")


def test_json_deeper_than_any_annotation_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("[" * 200_000)
    with pytest.raises(InputError, match=r"a\.json"):
        read_json(tmp_path / "a.json")


def test_text_in_another_code_is_named(tmp_path):
    (tmp_path / "a.txt").write_bytes("Größe".encode("latin-1"))
    with pytest.raises(InputError, match=r"not text in UTF-8 \(byte 2\)"):
        read_text(tmp_path / "a.txt")
    (tmp_path / "a.txt").write_bytes("\ufeffGröße".encode())
    assert read_text(tmp_path / "a.txt") == "Größe"


def test_a_faulty_entry_ends_the_reading_or_is_left_out(tmp_path):
    with (
        pytest.raises(InputError, match=r"a\.json: annotations\[3\]: 'bbox' is missing"),
        Entries(tmp_path / "a.json", skip_bad=False).entry("annotations[3]"),
    ):
        field({}, "bbox", list)
    lenient = Entries(tmp_path / "a.json", skip_bad=True)
    with collect_warnings() as said, lenient.entry("annotations[3]"):
        field({}, "bbox", list)
    assert lenient.bad == 1
    assert said[0].endswith("'bbox' is missing; left out")


@pytest.mark.parametrize("value", ["x", None, float("nan"), "inf", 10**400, True])
def test_numbers_are_finite(value):
    with pytest.raises(InputError, match="width must be a finite number"):
        number(value, "width")


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([[0, 0], [1, 1]], "2 corners enclose no area"),
        ([[0, 0], [1, 1], [float("nan"), 2]], r"corner 2 is \(nan, 2.0\)"),
        ([[0], [1], [2]], "pairs of numbers"),
    ],
)
def test_rings_have_three_finite_corners(points, message):
    with pytest.raises(InputError, match=message):
        ring(points)


def test_fields_have_their_kind():
    with pytest.raises(InputError, match="'id' must be int, found True"):
        field({"id": True}, "id", int)
    with pytest.raises(InputError, match="expected an object with named fields, found 3"):
        field(3, "id", int)
