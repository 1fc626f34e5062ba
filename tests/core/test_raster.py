"""The nouns over pixels: what they accept, what they refuse, and that they are read-only."""

import numpy as np
import pytest

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.raster import Image, InstanceMap, ScoreMap, SemanticMap


def test_a_plain_2d_array_is_yx():
    assert Image(np.zeros((3, 4))).axes == "yx"


def test_other_arrays_must_name_their_axes_and_the_error_writes_the_line():
    with pytest.raises(InputError, match=r"Image\(a, axes='yxc'\)"):
        Image(np.zeros((3, 4, 3)))


def test_axes_must_fit_the_array():
    with pytest.raises(InputError, match="name 3 dimensions"):
        Image(np.zeros((3, 4)), axes="yxc")
    with pytest.raises(InputError, match="did you mean yxc"):
        Image(np.zeros((3, 4, 3)), axes="yxcz")


def test_pixels_are_read_only_and_the_callers_array_is_not_touched():
    array = np.zeros((3, 4))
    image = Image(array)
    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0] = 1
    array[0, 0] = 5
    assert array.flags.writeable


def test_asarray_gives_the_pixels():
    array = np.arange(6).reshape(2, 3)
    assert np.array_equal(np.asarray(Image(array)), array)


def test_one_spacing_holds_for_every_axis_and_aspect_is_relative_to_the_finest():
    volume = Image(np.zeros((2, 3, 4)), axes="zyx", spacing=(2.0, 0.5, 0.5), unit="um")
    assert volume.aspect == (4.0, 1.0, 1.0)
    assert Image(np.zeros((3, 4)), spacing=(0.65,), unit="um").spacing == (0.65, 0.65)
    assert Image(np.zeros((3, 4))).aspect == (1.0, 1.0)


@pytest.mark.parametrize("spacing", [(0.0, 1.0), (1.0, 1.0, 1.0), (-1.0,), (float("nan"), 1.0)])
def test_impossible_spacing_is_refused(spacing):
    with pytest.raises(InputError, match="spacing"):
        Image(np.zeros((3, 4)), spacing=spacing)


def test_a_channel_is_found_by_name_or_number():
    image = Image(np.arange(24).reshape(2, 3, 4), axes="yxc", channels=("a", "b", "dapi", "d"))
    assert np.array_equal(image.channel("dapi").pixels, image.pixels[..., 2])
    assert image.channel("2").channels == ("dapi",)
    assert image.channel(2).axes == "yx"


def test_an_unknown_channel_names_the_known_ones():
    image = Image(np.zeros((2, 3, 2)), axes="yxc", channels=("dapi", "gfp"))
    with pytest.raises(InputError, match="did you mean dapi"):
        image.channel("dap")
    with pytest.raises(InputError, match="there are 2, numbered from 0"):
        image.channel(2)


def test_values_that_are_not_finite_are_counted_once():
    assert Image(np.array([[1.0, np.nan], [np.inf, 2.0]])).not_finite == 2
    assert Image(np.array([[1, 2]])).not_finite == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int64, np.uint64])
def test_instance_ids_survive_every_integer_type(dtype):
    ids = np.array([[0, 1], [70000 % np.iinfo(dtype).max, 3]], dtype)
    mask = InstanceMap(ids)
    assert mask.pixels.dtype == np.int32
    assert np.array_equal(mask.pixels, ids)


def test_an_id_that_does_not_fit_is_refused_not_wrapped():
    with pytest.raises(InputError, match="4294967295"):
        InstanceMap(np.array([[2**32 - 1]], np.uint32))


def test_negative_and_fractional_ids_are_refused():
    with pytest.raises(InputError, match="numbered from 1"):
        InstanceMap(np.array([[-1]]))
    with pytest.raises(InputError, match="whole numbers"):
        InstanceMap(np.array([[0.5]]))


def test_ids_lists_what_occurs_even_when_numbers_are_huge():
    assert InstanceMap(np.array([[0, 7], [7, 2_000_000_000]])).ids.tolist() == [7, 2_000_000_000]
    assert len(InstanceMap(np.zeros((3, 3), int))) == 0


def test_foreground_follows_the_class_table_not_the_value():
    table = ClassTable((ClassEntry(0, "cell"), ClassEntry(1, "glass", "background"), ClassEntry(255, "void", "ignore")))
    mask = SemanticMap(np.array([[0, 1, 255]], np.uint8), classes=table)
    assert mask.foreground().tolist() == [[True, False, False]]


def test_a_boolean_mask_is_foreground_and_background():
    mask = SemanticMap(np.array([[True, False]]))
    assert mask.pixels.tolist() == [[1, 0]]
    assert [entry.role for entry in mask.classes] == ["background", "thing"]


def test_a_mask_has_no_channels():
    with pytest.raises(InputError, match="no channel axis"):
        SemanticMap(np.zeros((2, 2, 3), np.uint8), axes="yxc")


def test_score_maps_keep_their_layers_last():
    assert ScoreMap(np.zeros((2, 3, 2)), axes="yxc", layers=("a", "b")).shape == (2, 3)


def test_a_class_table_refuses_a_value_or_name_given_twice():
    with pytest.raises(InputError, match="value 1"):
        ClassTable((ClassEntry(1, "a"), ClassEntry(1, "b")))
    with pytest.raises(InputError, match="name a"):
        ClassTable((ClassEntry(1, "a"), ClassEntry(2, "a")))
