from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from microtome.core.errors import InputError
from microtome.core.kernels.radix import order_passes, percentile, percentile_ranks
from microtome.core.raster import Image

DTYPES = [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64, np.float16, np.float32, np.float64]


def summarise(images, ranks):
    summary = None
    for look in order_passes(ranks):
        summary = reduce(lambda a, b: a.merge(b), [look(Image(image), None, summary) for image in images])
    return summary


def values(dtype):
    finite = {"allow_nan": False, "allow_infinity": False} if np.dtype(dtype).kind == "f" else {}
    return arrays.arrays(dtype, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=arrays.from_dtype(np.dtype(dtype), **finite))


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_rank_is_as_in_the_sorted_values(dtype, data):
    pixels = data.draw(values(dtype))
    ordered = np.sort(pixels, axis=None)
    wanted = sorted({0, pixels.size // 3, pixels.size // 2, pixels.size - 1})
    found = summarise([pixels], lambda _, total: wanted)
    assert [found.value(rank) for rank in wanted] == [ordered[rank].item() for rank in wanted]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32, np.float64])
def test_tiles_in_any_order_add_up_to_the_whole(dtype):
    pixels = (np.random.default_rng(1).normal(size=(40, 50)) * 30 + 100).astype(dtype)
    ranks = [3, 777, 1990]
    whole = summarise([pixels], lambda _, total: ranks)
    tiles = summarise([pixels[30:], pixels[:30, 20:], pixels[:30, :20]], lambda _, total: ranks)
    assert tiles.total == whole.total == 2000
    assert [tiles.value(rank) for rank in ranks] == [whole.value(rank) for rank in ranks]


def test_values_that_share_their_leading_digits():
    pixels = (1e9 + np.random.default_rng(2).permutation(300)).reshape(15, 20)
    found = summarise([pixels], lambda _, total: range(0, total, 37))
    assert [found.value(rank) for rank in range(0, 300, 37)] == [1e9 + rank for rank in range(0, 300, 37)]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("percent", [0, 1, 33.3, 50, 99.8, 100])
def test_percentiles_are_those_of_numpy(dtype, percent):
    pixels = (np.random.default_rng(3).random((31, 17)) * 200).astype(dtype)
    found = summarise([pixels], lambda _, total: percentile_ranks(percent, total))
    assert percentile(found, percent) == pytest.approx(np.percentile(pixels.astype(float), percent), rel=1e-14)


def test_not_contiguous_pixels():
    pixels = np.random.default_rng(4).random((20, 30, 3))[::2, ::-1, 1]
    found = summarise([pixels], lambda _, total: [150])
    assert found.value(150) == np.sort(pixels, axis=None)[150]


def test_a_single_pixel():
    assert summarise([np.array([[-2.5]])], lambda _, total: [0]).value(0) == -2.5


def test_dtypes_are_not_mixed():
    with pytest.raises(InputError, match="uint8 and of uint16"):
        summarise([np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint16)], lambda _, total: [0])
