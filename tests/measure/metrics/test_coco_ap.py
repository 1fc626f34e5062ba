"""COCO's twelve numbers equal pycocotools' on sets made to be awkward, and what it cannot take is refused."""

import contextlib
import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import collect_warnings
from microtome.core.kernels.areas import objects_of, runs_of
from microtome.core.kernels.bands import set_threads, threads
from microtome.core.kernels.run_lengths import decode, encode
from microtome.core.objects import Object, Objects, Runs, class_table
from microtome.core.outlines import Polygon
from microtome.core.raster import InstanceMap
from microtome.io.annotations.coco_rle import expand
from microtome.measure.metrics._coco_polygons import painted
from microtome.measure.metrics.coco_ap import coco_ap

KEYS = ("ap", "ap_50", "ap_75", "ap_small", "ap_medium", "ap_large", "ar_1", "ar_10", "ar_100", "ar_small", "ar_medium", "ar_large")
CLASSES = ("cell", "debris", "nucleus")
SHAPE = (200, 210)


def numbers(found):
    return [getattr(found, key) for key in KEYS]


def ellipse(rng, shape=SHAPE):
    """A filled ellipse, now and then cut off by the image, or with a hole."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    cy, cx = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
    ry, rx = np.exp(rng.uniform(0.5, 4.7, 2))
    r = ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2
    mask = r <= 1
    if rng.random() < 0.2:
        mask &= r > 0.3
    return mask


def moved(mask, rng):
    """The same mask a little off."""
    step = rng.integers(-3, 4, 2)
    return np.roll(mask, step, (0, 1)) if rng.random() < 0.8 else mask


def scene(rng, *, classes=CLASSES, crowds=True):
    """One image: overlapping objects, some crowds, scores with ties, misses and inventions."""
    truth, pred = [], []
    for _ in range(rng.integers(0, 12)):
        mask = ellipse(rng)
        if not mask.any():
            continue
        name = str(rng.choice(classes))
        truth.append((mask, name, crowds and rng.random() < 0.15))
        for _ in range(rng.integers(0, 3)):
            pred.append((moved(mask, rng), name if rng.random() < 0.9 else str(rng.choice(classes))))
    pred += [(mask, str(rng.choice(classes))) for mask in (ellipse(rng) for _ in range(rng.integers(0, 4))) if mask.any()]
    rng.shuffle(pred)
    return (
        Objects(SHAPE, tuple(Object(k, runs=encode(mask), class_name=str(name), score=float(rng.integers(1, 8)) / 8)
                             for k, (mask, name) in enumerate(pred, 1) if mask.any()), classes=class_table(CLASSES)),
        Objects(SHAPE, tuple(Object(k, runs=encode(mask), class_name=name, crowd=crowd) for k, (mask, name, crowd) in enumerate(truth, 1)),
                classes=class_table(CLASSES)),
    )  # fmt: skip


def peer(pairs, of="masks", *, by_class=True):
    """pycocotools on the same objects: the twelve numbers, precision and recall."""

    def entry(item, image, **more):
        y0, x0, y1, x1 = item.box
        shape = {"bbox": [x0, y0, x1 - x0, y1 - y0]}
        if of == "masks":
            shape = {"segmentation": coco_mask.encode(np.asfortranarray(decode(item.runs).astype(np.uint8)))}
        return {"image_id": image, "category_id": names.index(item.class_name) + 1, **shape, **more}

    names = sorted({item.class_name for pair in pairs for side in pair for item in side.items}) or ["none"]
    truth = [entry(item, k, area=item.runs.area if item.runs else 0, iscrowd=int(item.crowd))
             for k, (_, objects) in enumerate(pairs) for item in objects.items]  # fmt: skip
    pred = [entry(item, k, score=item.score) for k, (objects, _) in enumerate(pairs) for item in objects.items]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": k, "height": pair[1].shape[0], "width": pair[1].shape[1]} for k, pair in enumerate(pairs)],
            "categories": [{"id": k, "name": name} for k, name in enumerate(names, 1)],
            "annotations": [{**one, "id": k} for k, one in enumerate(truth, 1)],
        }
        coco.createIndex()
        result = COCOeval(coco, coco.loadRes(pred), "segm" if of == "masks" else "bbox")
        result.params.useCats = int(by_class)
        result.evaluate()
        result.accumulate()
        result.summarize()
    return result.stats, result.eval["precision"], result.eval["recall"]


@pytest.mark.parametrize("of", ["masks", "boxes"])
@pytest.mark.parametrize("seed", range(6))
def test_equals_pycocotools(of, seed):
    rng = np.random.default_rng(seed)
    pairs = [scene(rng) for _ in range(25)]
    found = coco_ap(pairs, of=of)
    stats, precision, recall = peer(pairs, of)
    np.testing.assert_allclose(numbers(found), stats, atol=1e-12)
    np.testing.assert_allclose(found.precision, precision, atol=1e-12)
    np.testing.assert_allclose(found.recall, recall, atol=1e-12)
    assert sum(item.crowd for _, truth in pairs for item in truth.items), "the set has no crowd"
    assert min(numbers(found)) > -1, "the set leaves a size out"


@given(st.integers(0, 2**32 - 1), st.sampled_from(["masks", "boxes"]))
@settings(max_examples=25, deadline=None)
def test_equals_pycocotools_on_small_sets(seed, of):
    rng = np.random.default_rng(seed)
    pairs = [scene(rng) for _ in range(3)]
    if not any(len(pred) for pred, _ in pairs):
        return
    np.testing.assert_allclose(numbers(coco_ap(pairs, of=of)), peer(pairs, of)[0], atol=1e-12)


def test_without_classes_equals_pycocotools():
    rng = np.random.default_rng(3)
    pairs = []
    for _ in range(20):
        pred, truth = scene(rng)
        scores = rng.permutation(len(pred))  # where scores tie, pycocotools goes by category
        pred = Objects(SHAPE, tuple(Object(item.number, runs=item.runs, class_name=item.class_name, score=float(score))
                                    for item, score in zip(pred.items, scores, strict=True)))  # fmt: skip
        truth = Objects(SHAPE, tuple(sorted(truth.items, key=lambda item: item.class_name)))
        pairs.append((pred, truth))
    found = coco_ap(pairs, by_class=False)
    np.testing.assert_allclose(found.ap, peer(pairs, by_class=False)[0][0], atol=1e-12)
    assert found.categories == ("",)


def test_more_than_100_predictions_in_an_image():
    rng = np.random.default_rng(0)
    mask = np.zeros(SHAPE, bool)
    mask[20:40, 30:50] = True
    truth = Objects(SHAPE, (Object(1, runs=encode(mask), class_name="cell"),))
    wrong = [Object(k, runs=encode(np.roll(mask, 60, 1)), class_name="cell", score=float(rng.uniform(0.5, 1))) for k in range(1, 131)]
    pred = Objects(SHAPE, (*wrong, Object(131, runs=encode(mask), class_name="cell", score=0.1)))
    assert coco_ap([(pred, truth)]).ar_100 == 0  # the right one stands at place 131
    np.testing.assert_allclose(numbers(coco_ap([(pred, truth)])), peer([(pred, truth)])[0], atol=1e-12)


def test_threads_and_batches_change_nothing():
    rng = np.random.default_rng(7)
    pairs = [scene(rng) for _ in range(70)]
    before = threads()
    try:
        set_threads(1)
        one = coco_ap(iter(pairs))
        set_threads(3)
        three = coco_ap(iter(pairs))
    finally:
        set_threads(before)
    np.testing.assert_array_equal(one.precision, three.precision)
    np.testing.assert_allclose(numbers(one), peer(pairs)[0], atol=1e-12)


def test_the_table_has_each_category_alone():
    rng = np.random.default_rng(11)
    pairs = [scene(rng) for _ in range(15)]
    table = coco_ap(pairs).by_category
    assert table["category"].tolist() == list(CLASSES)
    for row in table.rows():
        alone = [tuple(Objects(SHAPE, tuple(item for item in side.items if item.class_name == row["category"])) for side in pair)
                 for pair in pairs]  # fmt: skip
        assert row["ap"] == coco_ap(alone).ap
        assert row["objects"] == sum(not item.crowd for _, truth in alone for item in truth.items)
        assert row["predicted"] == sum(len(pred) for pred, _ in alone)


def boxes(*corners, scores=None, name=""):
    scores = scores or [None] * len(corners)
    return Objects(SHAPE, tuple(Object(k, given_box=corner, score=score, class_name=name)
                                for k, (corner, score) in enumerate(zip(corners, scores, strict=True), 1)))  # fmt: skip


def test_boxes_and_polygons():
    square = np.array([[2.0, 2], [2, 8], [8, 8], [8, 2]])
    outline = Objects(SHAPE, (Object(1, polygons=(Polygon(square),), score=0.5),))
    mask = np.zeros(SHAPE, bool)
    mask[2:8, 2:8] = True
    assert coco_ap([(outline, Objects(SHAPE, (Object(1, runs=encode(mask)),)))]).ap == 1
    half = boxes((2.0, 2.0, 8.0, 5.0), scores=[0.5])
    assert coco_ap([(half, boxes((2.0, 2.0, 8.0, 8.0)))], of="boxes").ap_50 == 1  # exactly one half
    assert coco_ap([(half, outline)], of="boxes").ap_75 == 0


def star(rng, shape=SHAPE):
    """A polygon, now and then through itself or over the image's border, its corners at times on pixels or repeated."""
    around = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 10)))
    if rng.random() < 0.2:
        rng.shuffle(around)
    reach = np.exp(rng.uniform(0.5, 4)) * rng.uniform(0.5, 1, len(around))
    ring = rng.uniform(0, shape) + np.stack([np.sin(around), np.cos(around)], axis=1) * reach[:, None]
    ring = np.round(ring) if rng.random() < 0.3 else ring
    return np.repeat(ring, 2, axis=0) if rng.random() < 0.1 else ring


def as_coco_paints(objects):
    height, width = objects.shape
    rings = [[polygon.outer[:, ::-1].ravel().tolist() for polygon in item.polygons] for item in objects.items]
    masks = [coco_mask.merge(coco_mask.frPyObjects(parts, height, width))["counts"].decode() for parts in rings]
    runs = (Runs(objects.shape, expand(counts)) for counts in masks)
    return replace(objects, items=tuple(replace(item, polygons=(), runs=one) for item, one in zip(objects.items, runs, strict=True)))


@pytest.mark.parametrize("seed", range(40))
def test_polygons_are_painted_as_pycocotools_does(seed):
    rng = np.random.default_rng(seed)
    objects = Objects(
        (40, 50), tuple(Object(k, tuple(Polygon(star(rng, (40, 50))) for _ in range(rng.integers(1, 4)))) for k in range(1, 9))
    )
    for item, expected in zip(objects.items, as_coco_paints(objects).items, strict=True):
        np.testing.assert_array_equal(decode(painted(item, objects.shape)), decode(expected.runs))


def test_polygons_equal_pycocotools():
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(20):
        rings = [star(rng) for _ in range(6)]
        truth = Objects(SHAPE, tuple(Object(k, (Polygon(ring),)) for k, ring in enumerate(rings, 1)))
        moved = [Polygon(ring + rng.normal(0, 1, 2)) for ring in rings]
        pairs.append((Objects(SHAPE, tuple(Object(k, (ring,), score=float(rng.random())) for k, ring in enumerate(moved, 1))), truth))
    painted_pairs = [tuple(as_coco_paints(side) for side in pair) for pair in pairs]
    found = coco_ap(pairs)
    np.testing.assert_allclose(numbers(found), peer(painted_pairs)[0], atol=1e-12)
    assert 0.1 < found.ap < 0.9


def test_a_hole_in_a_polygon_is_no_area():
    square = np.array([[2.0, 2], [2, 8], [8, 8], [8, 2]])
    ring = Object(1, (Polygon(square, (square[::-1] / 2 + 2.5,)), Polygon(square + 20)))
    assert painted(ring, SHAPE).area == runs_of(ring, SHAPE).area == 36 - 9 + 36
    far = Object(3, (Polygon(square * 1e9),))
    with pytest.raises(InputError, match="object 3: a corner is not finite or more than"):
        painted(far, SHAPE)


def test_an_object_that_is_a_crowd_counts_by_the_share_of_the_prediction():
    crowd, part = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    crowd[10:100, 10:100] = True
    part[20:30, 20:30] = True
    wanted = np.roll(part, (100, 100), (0, 1))
    truth = Objects(SHAPE, (Object(1, runs=encode(crowd), crowd=True), Object(2, runs=encode(wanted))))
    pred = Objects(SHAPE, (Object(1, runs=encode(part), score=0.9), Object(2, runs=encode(wanted), score=0.1)))
    assert coco_ap([(pred, truth)]).ap == 1  # without the crowd's rule the surer prediction would be wrong: .5


def test_nothing_to_find_and_nothing_found():
    nothing, something = Objects(SHAPE), objects_of(InstanceMap(np.pad(np.ones((3, 3), int), ((0, 197), (0, 207)))))
    assert numbers(coco_ap([(nothing, nothing)])) == [-1] * 12
    missed = coco_ap([(nothing, something)])
    assert (missed.ap, missed.ar_100, missed.ap_large) == (0, 0, -1)


def test_refusals_name_the_object():
    something = objects_of(InstanceMap(np.ones((3, 3), int)), image="a.png")
    with pytest.raises(InputError, match=r"a\.png: object 1 of the prediction has the score None"):
        coco_ap([(something, something)])
    with pytest.raises(InputError, match="no pair"):
        coco_ap([])
    with pytest.raises(InputError, match=r"\(200, 210\)"):
        coco_ap([(Objects(SHAPE), something)])
    with pytest.raises(InputError, match="object 1 is a box"):
        coco_ap([(boxes((0.0, 0.0, 2.0, 2.0), scores=[1.0]), Objects(SHAPE))])
    short = Objects(SHAPE, (Object(4, runs=Runs(SHAPE, np.array([5, 5])), score=1.0),), image="b.png")
    with pytest.raises(InputError, match=r"b\.png: object 4: its runs cover 10 pixels, the mask has 42000"):
        coco_ap([(short, Objects(SHAPE))])
    for wrong in ((0.0, 0.0, float("nan"), 2.0), (5.0, 0.0, 2.0, 2.0), (0.0, 0.0, 2.0, float("inf"))):
        with pytest.raises(InputError, match="object 1: its box is"):
            coco_ap([(boxes(wrong, scores=[1.0]), Objects(SHAPE))], of="boxes")
    with pytest.raises(RecipeError, match="did you mean masks"):
        coco_ap([], of="mask")


def test_classes_the_truth_does_not_know_are_told():
    pred = boxes((0.0, 0.0, 2.0, 2.0), scores=[1.0], name="Cell")
    truth = boxes((0.0, 0.0, 2.0, 2.0), name="cell")
    with collect_warnings() as said:
        found = coco_ap([(pred, truth)], of="boxes")
    assert found.ap == 0
    assert said == ["predictions of classes that the truth does not know count nowhere: Cell (1); the truth has cell"]
