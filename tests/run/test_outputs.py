"""What lies on disk: names that clash are found before anything is written, and tables say what they hold."""

import numpy as np
import pytest

from microtome.core.raster import Image, InstanceMap
from microtome.core.result import Result
from microtome.core.table import Table
from microtome.run.outputs import clashes, describe


def test_names_that_would_write_the_same_mask_are_found_whatever_their_suffix_or_case():
    assert clashes(["x.png", "x.ome.tif", "y/x.png"]) == {"x": ["x.png", "x.ome.tif"]}
    assert clashes(["A.png", "a.png"]) == {"a": ["A.png", "a.png"]}
    assert clashes(["x.1.png", "x.2.png"]) == {}


def test_an_images_row_counts_objects_and_gives_density_by_area():
    labels = np.zeros((100, 100), int)
    labels[:10, :10], labels[50:60, 50:70] = 1, 2
    mask = InstanceMap(labels, spacing=(10.0, 10.0), unit="um")
    table = Table({"output": np.array(["mask", "mask"], object), "label": np.array([1, 2]), "area_px": np.array([100, 200])})
    result = Result("a.png", {"mask": mask}, table, Image(labels.astype(np.uint8), spacing=(10.0, 10.0), unit="um"))
    row, record = describe(result, source="a.png", group="g", sha256="", seconds=1.0)
    assert row["count"] == 2
    assert row["density_per_mm2"] == pytest.approx(2.0)  # 100 x 100 pixels of 10 um are one square millimetre
    assert row["area_fraction"] == 0.03
    assert row["median_area_px"] == 150
    assert record["outputs"]["mask"]["count"] == 2
