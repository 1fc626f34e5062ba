"""NumPy arrays as files: never pickled, never guessed."""

import numpy as np
import pytest

from microtome.core.errors import InputError
from microtome.core.raster import Image
from microtome.io.images import read, write


def saved(tmp_path, array, **options):
    np.save(tmp_path / "a.npy", array, **options)
    return tmp_path / "a.npy"


@pytest.mark.parametrize("dtype", ["?", "u1", ">u2", "<i4", "u8", "f2", ">f4", "f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_values_and_dtype_stay(tmp_path, dtype, order):
    array = np.asarray(np.arange(12).reshape(3, 4) % 2, dtype, order=order)
    image = read(saved(tmp_path, array))
    assert image.pixels.dtype == np.dtype(dtype).newbyteorder("=")
    assert image.pixels.flags.c_contiguous
    np.testing.assert_array_equal(image.pixels, array)


def test_objects_are_never_unpickled(tmp_path):
    path = saved(tmp_path, np.array([[print, 1]], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"a\.npy: the array holds '\|O' .*pickled objects are never loaded"):
        read(path)


@pytest.mark.parametrize("dtype", ["c8", "U3", "M8[s]", [("a", "f4")]])
def test_other_kinds_are_refused(tmp_path, dtype):
    with pytest.raises(InputError, match="not plain numbers"):
        read(saved(tmp_path, np.zeros((2, 2), dtype)))


def test_three_dimensions_need_names(tmp_path):
    path = saved(tmp_path, np.zeros((3, 4, 5)))
    with pytest.raises(InputError, match=r"shape \(3, 4, 5\) does not say what its dimensions are: give axes='zyx'"):
        read(path)
    assert read(path, axes="zyx").axes == "zyx"
    assert read(path, axes="cyx").pixels.shape == (4, 5, 3)
    with pytest.raises(InputError, match="time series of 3 frames"):
        read(path, axes="tyx")
    with pytest.raises(InputError, match="name 2 dimensions"):
        read(path, axes="yx")


def test_leading_dimensions_of_one_are_dropped(tmp_path):
    assert read(saved(tmp_path, np.zeros((1, 1, 4, 5)))).pixels.shape == (4, 5)


@pytest.mark.parametrize("shape", [(), (5,), (2, 2, 2, 2, 2)])
def test_other_shapes_are_no_images(tmp_path, shape):
    with pytest.raises(InputError, match="is not an image"):
        read(saved(tmp_path, np.zeros(shape)))


def test_empty_array_is_no_image(tmp_path):
    with pytest.raises(InputError, match="no image in it"):
        read(saved(tmp_path, np.zeros((0, 5))))


def test_bytes_after_the_array_are_told(tmp_path):
    path = saved(tmp_path, np.zeros((2, 2)))
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.warns(UserWarning, match="4 bytes after the array"):
        read(path)


def test_what_is_lost_is_told(tmp_path):
    with pytest.warns(UserWarning, match="neither spacing nor channel names"):
        write(Image(np.zeros((2, 2)), spacing=(1, 1), unit="um"), tmp_path / "x.npy")
