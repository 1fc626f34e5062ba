import pickle

import numpy as np
import pytest

from microtome.core.errors import InputError
from microtome.core.kernels.histogram import extent
from microtome.core.kernels.per_channel import PerChannel, each_channel
from microtome.core.raster import Image

COLOURS = Image(np.arange(24.0).reshape(2, 4, 3), axes="yxc")


def together(settings):
    return settings == "together"


def test_a_summary_for_each_channel():
    found = each_channel(extent)(COLOURS, None, None)
    assert [(part.low, part.high) for part in found.parts] == [(0, 21), (1, 22), (2, 23)]


def test_one_for_a_grey_image_and_one_where_channels_are_taken_together():
    assert len(each_channel(extent)(COLOURS.channel(0), None, None).parts) == 1
    found = each_channel(extent, together)(COLOURS, "together", None)
    assert [(part.low, part.high) for part in found.parts] == [(0, 23)]


def test_channels_merge_one_by_one():
    look = each_channel(extent)
    found = look(COLOURS, None, None).merge(look(COLOURS.with_pixels(COLOURS.pixels - 100), None, None))
    assert [part.low for part in found.parts] == [-100, -99, -98]


def test_other_channels_cannot_share_a_decision():
    with pytest.raises(InputError, match="1 and of 3 channels"):
        PerChannel((1,)).merge(PerChannel((1, 2, 3)))


def test_a_pass_travels_to_a_worker():
    assert pickle.loads(pickle.dumps(each_channel(extent, together)))(COLOURS, "together", None).parts[0].high == 23
