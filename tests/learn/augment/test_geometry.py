"""Flips, affine maps and elastic fields: one map, one remap, of the window only."""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from microtome.core.errors import InputError
from microtome.learn.augment.border import block, copies_apart, mirrored
from microtome.learn.augment.chain import apply, chain_of
from microtome.learn.augment.example import Example, Frame, boxes_of
from microtome.learn.augment.geometry import affine, elastic, flips
from microtome.learn.augment.place import place
from microtome.learn.augment.randomness import generator
from microtome.learn.augment.warp import warp


def noise(shape, channels=1, dtype=np.uint8, seed=0):
    values = np.random.default_rng(seed).integers(0, 250, (*shape, channels))
    return values.astype(dtype)


def scene(shape=(40, 52), dtype=np.uint8, channels=3, seed=0):
    """Rectangles with numbers, on a smooth picture."""
    rng = np.random.default_rng(seed)
    objects = np.zeros(shape, np.int32)
    for number in range(1, 6):
        corner = [int(rng.integers(2, max(n - 10, 3))) for n in shape]
        objects[tuple(slice(at, at + 7) for at in corner)] = number
    smooth = ndimage.gaussian_filter(rng.uniform(0, 250, (*shape, channels)), (*[2] * len(shape), 0))
    boxes, ids = boxes_of(objects)
    return Example(
        smooth.astype(dtype), classes=(objects > 0).astype(np.uint8), objects=objects, boxes=boxes, box_ids=ids,
        points=(boxes[:, : len(shape)] + boxes[:, len(shape) :]) / 2, point_ids=ids,
    )  # fmt: skip


@pytest.mark.parametrize("shape", [(6, 9), (4, 6, 5)])
def test_every_symmetry_is_an_exact_index_map(shape):
    ndim = len(shape)
    image = np.arange(np.prod(shape)).reshape(*shape, 1).astype(np.uint16)
    seen = set()
    rng = np.random.default_rng(0)
    for _ in range(1200 if ndim == 3 else 200):
        parameters = flips.draw(rng, Frame(shape))
        moved = flips.apply(parameters, Example(image)).image
        flipped = np.flip(image[..., 0], [axis for axis in range(ndim) if parameters["flip"][axis]])
        np.testing.assert_array_equal(moved[..., 0], flipped.transpose(np.argsort(parameters["axes"])))
        seen.add(moved.tobytes() + bytes(moved.shape))
    assert len(seen) == {2: 8, 3: 48}[ndim]


def test_axes_of_another_spacing_stay_where_they_are():
    rng = np.random.default_rng(0)
    drawn = [flips.draw(rng, Frame((4, 8, 8), aspect=(3.0, 1.0, 1.0))) for _ in range(200)]
    assert all(one["axes"][0] == 0 and not one["flip"][0] for one in drawn)
    assert len({str(one) for one in drawn}) == 8


def test_a_quarter_turn_is_numpys():
    image = noise((5, 8))
    turned = flips.apply({"axes": [1, 0], "flip": [False, True]}, Example(image)).image
    np.testing.assert_array_equal(turned, np.rot90(image))


def test_a_turn_by_matrix_of_a_right_angle_agrees_with_the_flip():
    example = Example(noise((9, 9)))
    by_angle = affine.apply({"rotation": 90.0, "tilt": [0, 0], "scale": 1.0, "shear": 0.0, "shift": [0, 0]}, example)
    np.testing.assert_array_equal(by_angle.image, np.rot90(example.image, -1))  # x towards y, as it is seen: clockwise


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_affine_is_opencvs_warp(dtype, interpolation):
    image = scene(dtype=dtype).image
    drawn = {"rotation": 33.0, "tilt": [0, 0], "scale": 1.3, "shear": 4.0, "shift": [2.0, -3.0]}
    found = apply([("affine", drawn)], Example(image), interpolation=interpolation).image
    turn, slant = np.deg2rad(33), np.tan(np.deg2rad(4))
    forward = 1.3 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[1, slant], [0, 1]]  # x, y; y downwards
    c = np.array([25.5, 19.5])
    matrix = np.column_stack([forward, c - forward @ c + (-3, 2)])
    how = cv2.INTER_LINEAR if interpolation == "linear" else cv2.INTER_CUBIC
    peer = cv2.warpAffine(image, matrix, (52, 40), flags=how, borderMode=cv2.BORDER_REFLECT_101)
    assert np.abs(found.astype(float) - peer).max() <= 4  # OpenCV rounds places to a 32nd of a pixel
    assert np.abs(found.astype(float) - peer).mean() < 0.5


def test_volumes_agree_with_scipy():
    example = scene((20, 24, 22), np.float32, channels=2)
    drawn = chain_of([{"affine": {"tilt": [-40, 40]}}, {"elastic": {"sigma": 2.0}}]).draw(np.random.default_rng(5), example.frame)
    found = apply(drawn, example)
    places = place(drawn, example.frame).coordinates((0, 0, 0))
    for c in range(2):
        peer = ndimage.map_coordinates(example.image[..., c], places, order=1, mode="mirror")
        np.testing.assert_allclose(found.image[..., c], peer, atol=1e-2)
    peer = ndimage.map_coordinates(example.classes, places, order=0, mode="mirror")
    assert (found.classes != peer).mean() < 1e-3  # halves are rounded their own way


def test_the_general_kernel_agrees_with_opencv():
    """Six channels and a constant border go another way than three."""
    one = scene()
    six = Example(np.concatenate([one.image, one.image], -1), classes=one.classes)
    drawn = chain_of(["affine", "elastic"]).draw(np.random.default_rng(1), one.frame)
    for interpolation in ("linear", "cubic"):
        a = apply(drawn, one, border="constant", interpolation=interpolation)
        b = apply(drawn, six, border="constant", interpolation=interpolation)
        assert np.abs(a.image.astype(int) - b.image[..., 3:]).mean() < 0.6


def test_places_are_the_formula():
    """C + M (p - c + u(p)), with u a spline that scipy evaluates."""
    frame = Frame((31, 45))
    drawn = chain_of(["flips", "affine", "elastic", {"elastic": {"knots": 5, "sigma": 3.0}}]).draw(np.random.default_rng(3), frame)
    window = place(drawn, frame, centre=(100, 90))
    grid = np.stack(np.mgrid[:31, :45]).astype(float)
    u = np.zeros_like(grid)
    for name, parameters in drawn:
        if name == "elastic":
            knots = np.asarray(parameters["grid"])
            at = [grid[axis] * (knots.shape[1] - 1) / (n - 1) for axis, n in enumerate(frame.shape)]
            u += np.stack([ndimage.map_coordinates(one, at, order=3, mode="mirror") for one in knots])
    matrix = np.eye(2)
    for name, parameters in drawn:
        if name != "elastic":
            matrix = matrix @ {"flips": flips, "affine": affine}[name].matrix(parameters, frame)
    centred = grid - np.reshape([15, 22], (2, 1, 1)) + u
    origin = np.array([100 - 31 // 2 + 15, 90 - 45 // 2 + 22]) if window.block == (31, 45) else window.origin
    expected = origin.reshape(2, 1, 1) + np.tensordot(matrix, centred, 1)
    np.testing.assert_allclose(window.coordinates((0, 0)), expected, atol=2e-4)
    least, greatest = window.bounds()
    assert (expected.reshape(2, -1).min(1) >= least).all()
    assert (expected.reshape(2, -1).max(1) <= greatest).all()


@given(st.integers(0, 2**31), st.sampled_from([(40, 52), (12, 20, 16)]))
@settings(max_examples=25, deadline=None)
def test_a_window_is_cut_out_of_the_same_map(seed, shape):
    """The window first, then the work: a window that shows the whole image is the image's own transform."""
    example = scene(shape)
    drawn = chain_of([{"flips": {"turns": False}}, "affine", {"elastic": {"sigma": 2.0}}]).draw(generator(seed), example.frame)
    whole = apply(drawn, example)
    window = apply(drawn, example, shape=shape, centre=[n // 2 for n in shape])
    np.testing.assert_array_equal(whole.image, window.image)
    np.testing.assert_array_equal(whole.objects, window.objects)


@given(st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_labels_only_take_values_that_were_there(seed):
    example = scene(seed=seed % 7)
    drawn = chain_of(["flips", "affine", "elastic"]).draw(generator(seed), Frame((24, 30)))
    for border in ("reflect", "constant"):
        cut = apply(drawn, example, shape=(24, 30), centre=(20, 20), border=border)
        assert set(np.unique(cut.classes)) <= {0, 1}
        np.testing.assert_array_equal(cut.classes > 0, cut.objects > 0)
        assert cut.image.dtype == np.uint8
        assert cut.objects.dtype == np.int32


@given(st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_points_and_boxes_follow_their_objects(seed):
    example = scene((96, 112), seed=seed % 5)
    chain = chain_of(["flips", {"affine": {"scale": [0.9, 1.4]}}, {"elastic": {"sigma": 4.0}}])
    cut = apply(chain.draw(generator(seed), Frame((80, 88))), example, shape=(80, 88), centre=(48, 56), border="constant")
    for point, number in zip(cut.points, cut.point_ids, strict=True):
        y, x = np.floor(point).astype(int)
        hit = example.objects[tuple(np.floor(example.points[number == example.point_ids][0]).astype(int))]
        if hit == number:  # else another object lies over its middle
            assert number in cut.objects[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
    shown, ids = boxes_of(cut.objects)
    for box, number in zip(shown, ids, strict=True):
        given_box = cut.boxes[cut.box_ids == number][0]
        assert (given_box[:2] <= box[:2] + 1.01).all()
        assert (given_box[2:] >= box[2:] - 1.01).all()


def test_boxes_of_flips_are_exact():
    example = scene()
    for axes, flip in product(([0, 1], [1, 0]), product((False, True), repeat=2)):
        moved = flips.apply({"axes": axes, "flip": list(flip)}, example)
        boxes, ids = boxes_of(moved.objects)
        np.testing.assert_array_equal(moved.box_ids, ids)
        partly_hidden = {int(one) for one in ids if (example.objects == one).sum() < 49}
        for box, own, number in zip(boxes, moved.boxes, ids, strict=True):
            if int(number) not in partly_hidden:
                np.testing.assert_array_equal(box, own)


def test_a_folded_field_still_finds_points():
    example = Example(noise((32, 32)), points=np.array([[16.0, 16.0], [3.5, 28.0]]), point_ids=np.array([1, 2]))
    window = place([("elastic", elastic.draw(np.random.default_rng(2), Frame((32, 32)), sigma=20.0))], example.frame)
    found = window.to_window(example.points - 0.5)
    back = window.to_image(found)
    assert np.abs(back - (example.points - 0.5)).max() < 8


@given(st.integers(0, 2**31), st.sampled_from(["reflect", "constant"]))
@settings(max_examples=20, deadline=None)
def test_a_window_beyond_the_frame_sees_the_mirrored_image(seed, border):
    """As if the whole image had been padded first."""
    small = Example(noise((9, 13), 2, seed=seed), classes=noise((9, 13))[..., 0])
    if border == "reflect":
        large = Example(np.pad(small.image, ((40, 40), (40, 40), (0, 0)), "reflect"), classes=np.pad(small.classes, 40, "reflect"))
    else:
        large = Example(np.pad(small.image, ((40, 40), (40, 40), (0, 0))), classes=np.pad(small.classes, 40))
    for chain in (["flips"], ["flips", {"affine": {"scale": [0.8, 1.4]}}]):
        drawn = chain_of(chain).draw(generator(seed), Frame((20, 22), 2))
        a = apply(drawn, small, shape=(20, 22), centre=(5, 6), border=border)
        b = apply(drawn, large, shape=(20, 22), centre=(45, 46), border=border)
        differ = np.abs(a.image.astype(int) - b.image)
        assert differ.max() <= 255 / 32 + 1  # OpenCV rounds places to a 32nd of a pixel: one on the edge of two may fall to either
        assert differ.mean() < 0.1
        assert (a.classes != b.classes).mean() < 0.02  # a place on a half may fall to either side


def test_constant_border_is_the_ignored_class():
    example = Example(noise((4, 4)), classes=np.ones((4, 4), np.uint8), objects=np.ones((4, 4), np.int32), outside=255)
    for chain in ([], [("affine", {"rotation": 0.0, "tilt": [0, 0], "scale": 0.999, "shear": 0.0, "shift": [0, 0]})]):
        cut = apply(chain, example, shape=(8, 8), centre=(2, 2), border="constant")
        assert cut.classes[0, 0] == 255
        assert cut.classes[4, 4] == 1
        assert cut.objects[0, 0] == 0
        assert cut.image[0, 0, 0] == 0


def test_a_mirrored_object_is_another_unless_it_touches_itself():
    objects = np.zeros((10, 10), np.int32)
    objects[4:6, 2:4] = 7  # away from the edge: its mirror image is a second object
    objects[8:, 6:8] = 3  # on the edge: it grows into the mirror
    example = Example(noise((10, 10)), objects=objects, object_class={7: 2, 3: 1})
    for drawn in ([], [("affine", {"rotation": 0.0, "tilt": [0, 0], "scale": 1.0, "shear": 0.0, "shift": [0.0, 0.001]})]):
        cut = apply(drawn, example, shape=(20, 20), centre=(10, 10))
        whole = ndimage.label(cut.objects > 0, np.ones((3, 3)))[1]
        assert len(np.unique(cut.objects)) - 1 == whole
        assert {cut.object_class[int(one)] for one in np.unique(cut.objects) if one} == {1, 2}
        np.testing.assert_array_equal(cut.objects[:10, :10], objects)


def test_copies_apart_leaves_a_map_without_mirror_images():
    objects = np.array([[1, 0, 2]], np.int32)
    found, copies = copies_apart(objects, np.zeros((1, 3), np.int64))
    assert found is objects
    assert copies == {}


@given(st.lists(st.integers(0, 99), min_size=1, max_size=6), st.integers(-30, 10), st.integers(1, 40))
@settings(deadline=None)
def test_block_is_numpys_reflect(values, start, length):
    array = np.array(values)
    padded = np.pad(array, 60, "reflect") if len(values) > 1 else np.full(121, values[0])
    np.testing.assert_array_equal(block(array, [start], [length]), padded[60 + start : 60 + start + length])
    np.testing.assert_array_equal(array[mirrored(np.arange(start, start + length), len(values))], block(array, [start], [length]))


def test_only_the_window_is_touched(monkeypatch):
    """A memory map of a huge image would be read in part only."""

    image = np.zeros((4000, 5000, 1), np.uint8)
    seen = []
    from microtome.learn.augment import warp as module

    interpolate = module._interpolate
    monkeypatch.setattr(module, "_interpolate", lambda pixels, *rest: seen.append(pixels.shape) or interpolate(pixels, *rest))
    drawn = chain_of(["affine", "elastic"]).draw(np.random.default_rng(0), Frame((64, 64)))
    apply(drawn, Example(image), shape=(64, 64), centre=(2000, 2500))
    assert np.prod(seen[0][:2]) < 400 * 400


def test_inputs_do_not_change():
    example = scene()
    for array in (example.image, example.classes, example.objects, example.boxes, example.points):
        array.flags.writeable = False
    chain = chain_of(["flips", "affine", "elastic", "gain", "blur", "gaussian_noise", "cutout", "downscale", "hue", "hed_jitter"])
    apply(chain.draw(generator(1), Frame((20, 20), 3)), example, shape=(20, 20), centre=(9, 9))


def test_a_window_and_an_image_of_different_axes():
    with pytest.raises(InputError, match="3 axes on an image of 2"):
        apply([], Example(noise((4, 4))), shape=(4, 4, 4), centre=(2, 2, 2))
    with pytest.raises(InputError, match="both"):
        apply([], Example(noise((4, 4))), shape=(4, 4))


def test_elastic_parameters_of_another_shape():
    with pytest.raises(InputError, match="components"):
        elastic.apply({"grid": np.zeros((3, 3, 3, 3)).tolist()}, Example(noise((8, 8))))


def test_one_pixel_and_one_row():
    for shape in ((1, 1), (1, 9), (9, 1)):
        drawn = chain_of(["flips", "affine", "elastic", "gaussian_noise"]).draw(generator(3), Frame((7, 7)))
        cut = apply(drawn, Example(noise(shape), classes=noise(shape)[..., 0]), shape=(7, 7), centre=(0, 0))
        assert cut.image.shape == (7, 7, 1)


def test_a_warp_of_nothing_is_the_block_itself():
    example = scene()
    cut = warp(example, place([], Frame((10, 12), 3), centre=(15, 16)))
    np.testing.assert_array_equal(cut.image, example.image[10:20, 10:22])


@given(st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_to_the_window_and_back(seed):
    rng = generator(seed)
    shape = (int(rng.integers(40, 400)), int(rng.integers(40, 400)))
    drawn = chain_of(["flips", {"affine": {"shift": 5}}, {"elastic": {"sigma": min(shape) / 30}}]).draw(rng, Frame(shape))
    window = place(drawn, Frame(shape), centre=(300, 200))
    places = rng.uniform(0, shape, (20, 2))
    np.testing.assert_allclose(window.to_window(window.to_image(places)), places, atol=1e-4)
    grid = window.coordinates((0, 0))
    y, x = int(rng.integers(shape[0])), int(rng.integers(shape[1]))
    np.testing.assert_allclose(window.to_image(np.array([[y, x]], float))[0], grid[:, y, x], atol=1e-3)
