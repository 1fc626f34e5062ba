"""Every object has one fate; sizes and classes count each object once; wrong pixels are near a border or not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError, RecipeError
from microtome.core.objects import Object, Objects
from microtome.core.raster import InstanceMap
from microtome.learn.evaluate.errors import box_fates, class_counts, fates, quartiles, size_counts, where_errors_lie
from microtome.measure.metrics.matching import match, overlaps

maps = arrays(np.int32, (4, 9), elements=st.integers(0, 4))


def told(found, side):
    rows = zip(found.objects["side"], found.objects["label"].tolist(), found.objects["fate"], strict=True)
    return {label: fate for own, label, fate in rows if own == side}


def row(*labels):
    return InstanceMap(np.array([labels]))


def test_the_instances_of_the_reference(instances):
    pred, truth = map(InstanceMap, instances)
    found = fates(pred, truth)
    # the halves of object 3 tie at IoU 1/2: one is its partner, the other a piece; object 4 has no partner at .4, object 5 nothing at all
    assert told(found, "truth") == {1: "matched", 2: "matched", 3: "matched", 4: "missed", 5: "missed"}
    assert sorted(told(found, "pred").values()) == ["added", "added", "matched", "matched", "matched", "split"]
    assert (found.merges, found.splits) == (0, 1)
    assert found.objects["iou"][:5] == pytest.approx([1, 5 / 6, 1 / 2, 0.4, 0])


def test_one_prediction_over_two_objects_merges_them():
    found = fates(row(5, 5, 5, 5, 5, 0), row(1, 1, 0, 2, 2, 0))
    assert told(found, "truth") == {1: "merged", 2: "merged"}
    assert told(found, "pred") == {5: "merged"}
    assert found.merges == 1


def test_an_object_that_has_its_partner_is_not_called_merged():
    found = fates(row(5, 5, 5, 5, 5, 5), row(1, 1, 1, 1, 2, 2))
    assert told(found, "truth") == {1: "matched", 2: "merged"}
    assert told(found, "pred") == {5: "matched"}
    assert found.merges == 1


def test_more_than_half_must_be_covered():
    assert told(fates(row(5, 5, 5, 5), row(1, 1, 2, 2)), "truth") == {1: "matched", 2: "merged"}  # covered whole; one half has IoU 1/2
    half = fates(row(0, 5, 5, 0, 0), row(1, 1, 2, 2, 0), threshold=0.9)
    assert told(half, "truth") == {1: "missed", 2: "missed"}
    assert told(half, "pred") == {5: "added"}


def test_pieces_of_one_object_split_it():
    found = fates(row(5, 5, 0, 6, 6, 0, 7), row(1, 1, 1, 1, 1, 0, 0))
    assert told(found, "truth") == {1: "split"}
    assert told(found, "pred") == {5: "split", 6: "split", 7: "added"}
    assert found.splits == 1


@given(maps, maps)
@settings(max_examples=80)
def test_every_object_has_one_fate_and_matched_ones_are_the_pairs(pred, truth):
    found = fates(InstanceMap(pred), InstanceMap(truth))
    pairs = match(overlaps(pred, truth), 0.5)
    t, p = told(found, "truth"), told(found, "pred")
    assert set(t) == set(np.unique(truth).tolist()) - {0}
    assert set(p) == set(np.unique(pred).tolist()) - {0}
    assert {label for label, fate in t.items() if fate == "matched"} == set(pairs.pairs[:, 0].tolist())
    assert {label for label, fate in p.items() if fate == "matched"} == set(pairs.pairs[:, 1].tolist())
    assert set(t.values()) <= {"matched", "missed", "merged", "split"}
    assert set(p.values()) <= {"matched", "added", "merged", "split"}


@given(maps, maps)
@settings(max_examples=40)
def test_merging_one_way_is_splitting_the_other(pred, truth):
    one, other = fates(InstanceMap(pred), InstanceMap(truth)), fates(InstanceMap(truth), InstanceMap(pred))
    assert (one.merges, one.splits) == (other.splits, other.merges)


@given(maps, maps, st.lists(st.integers(1, 20), max_size=3, unique=True))
@settings(max_examples=40)
def test_sizes_count_every_object_once(pred, truth, edges):
    objects = fates(InstanceMap(pred), InstanceMap(truth)).objects
    rows = size_counts(objects, sorted(edges))
    assert len(rows) == len(edges) + 1
    for name in ("matched", "missed", "merged", "split"):
        assert sum(one[name] for one in rows) == ((objects["side"] == "truth") & (objects["fate"] == name)).sum()
    assert sum(one["predicted"] for one in rows) == (objects["side"] == "pred").sum()


def test_an_area_on_an_edge_belongs_to_the_larger():
    objects = fates(row(0, 0, 0), row(1, 1, 2)).objects
    rows = size_counts(objects, [2])
    assert [(one["size"], one["true"]) for one in rows] == [("below 2 px", 1), ("2 px and more", 1)]
    assert rows[0]["recall"] == 0
    assert np.isnan(rows[0]["precision"])
    with pytest.raises(RecipeError, match="ascending"):
        size_counts(objects, [5, 2])
    assert quartiles([3, 3, 3]) == (3.0,)
    assert quartiles([]) == ()


def test_classes_are_counted_by_their_own_objects():
    classes = ClassTable((ClassEntry(0, "ground", "background"), ClassEntry(1, "rbc"), ClassEntry(2, "wbc")))
    truth = InstanceMap(np.array([[1, 1, 0, 2, 2, 0]]), object_class={1: 1, 2: 2}, classes=classes)
    pred = InstanceMap(np.array([[7, 7, 0, 0, 0, 8]]), object_class={7: 1, 8: 1}, classes=classes)
    rows = {one["class"]: one for one in class_counts(fates(pred, truth).objects)}
    assert (rows["rbc"]["recall"], rows["rbc"]["precision"], rows["rbc"]["added"]) == (1, 0.5, 1)
    assert (rows["wbc"]["missed"], rows["wbc"]["predicted"]) == (1, 0)


def test_boxes_are_matched_missed_or_added():
    truth = Objects((9, 9), (Object(1, given_box=(0, 0, 4, 4), class_name="a"), Object(2, given_box=(5, 5, 9, 9), class_name="a")))
    pred = Objects((9, 9), (Object(3, given_box=(0, 0, 4, 3), class_name="a"), Object(4, given_box=(4, 0, 6, 2), class_name="a")))
    found = box_fates(pred, truth)
    assert told(found, "truth") == {1: "matched", 2: "missed"}
    assert told(found, "pred") == {3: "matched", 4: "added"}
    assert found.objects["area_px"].tolist() == [16, 16, 12, 4]


def near_by_definition(truth, ignore, band):
    """A pixel is near if, in its square of 2 band - 1, a valid pixel has a valid neighbour of another class."""
    height, width = truth.shape
    edge = np.zeros(truth.shape, bool)
    for y in range(height):
        for x in range(width):
            for v, u in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
                inside = 0 <= v < height and 0 <= u < width
                if inside and truth[y, x] != truth[v, u] and truth[y, x] not in ignore and truth[v, u] not in ignore:
                    edge[y, x] = True
    reach = band - 1
    return np.array(
        [[edge[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1].any() for x in range(width)] for y in range(height)]
    )


@given(maps, maps, st.integers(1, 3))
@settings(max_examples=40)
def test_where_errors_lie_by_definition(pred, truth, band):
    near, valid = near_by_definition(truth, (4,), band), truth != 4
    found = where_errors_lie(pred, truth, ignore=(4,), band=band)
    wrong = (pred != truth) & valid
    assert (found.band_pixels, found.band_wrong) == ((near & valid).sum(), (wrong & near).sum())
    assert (found.inside_pixels, found.inside_wrong) == ((~near & valid).sum(), (wrong & ~near).sum())


def test_shares_add_up_over_images():
    one = where_errors_lie(np.array([[0, 0, 0, 1]]), np.array([[0, 0, 1, 1]]), band=1)
    both = one + one
    assert both.summary() == one.summary()
    assert one.summary() == {"band_share": 0.5, "band_share_of_errors": 1.0, "band_error_rate": 0.5, "inside_error_rate": 0.0}
    with pytest.raises(InputError, match="same pixels"):
        where_errors_lie(np.zeros((2, 2)), np.zeros((2, 3)))
    with pytest.raises(RecipeError, match="at least 1"):
        where_errors_lie(np.zeros((2, 2)), np.zeros((2, 2)), band=0)
