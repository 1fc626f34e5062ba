"""The numbers of the reference catalogue for the steps that prepare an image: each derived by hand or computed by a peer."""

import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage import color, data, exposure, filters, restoration

from microtome.core.kernels.radix import percentile
from microtome.core.raster import Image
from microtome.methods.prepare.adapthisteq import adapthisteq
from microtome.methods.prepare.gaussian import gaussian
from microtome.methods.prepare.histeq import histeq
from microtome.methods.prepare.imadjust import imadjust
from microtome.methods.prepare.median import median
from microtome.methods.prepare.normalise import normalise
from microtome.methods.prepare.resize import resize
from microtome.methods.prepare.rolling_ball import rolling_ball
from microtome.methods.prepare.separate_stains import separate_stains
from microtome.methods.prepare.to_grey import to_grey
from microtome.methods.prepare.zscore import zscore


@pytest.mark.parametrize(("name", "low", "high"), [("coins", 23, 216), ("camera", 4, 230), ("cell", 15, 196), ("page", 27, 241)])
def test_stretchlim(name, low, high):
    picture = getattr(data, name)()
    stretched = imadjust(picture).pixels
    assert picture[stretched == 0].max() == low
    assert picture[stretched == 255].min() == high
    np.testing.assert_array_equal(np.percentile(picture, (1, 99)), (low, high))


@pytest.mark.parametrize(("name", "mean", "black", "white"), [("coins", 97.511998, 1279, 1183), ("camera", 140.975636, 3310, 2730)])
def test_imadjust_of_photographs(name, mean, black, white):
    found = imadjust(getattr(data, name)()).pixels
    assert found.mean() == pytest.approx(mean, abs=5e-7)
    assert ((found == 0).sum(), (found == 255).sum()) == (black, white)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [0, 0, 85, 170, 255, 255]),
        ({"gamma": 0.5}, [0, 0, 147, 208, 255, 255]),
        ({"gamma": 2}, [0, 0, 28, 113, 255, 255]),
        ({"out": (1, 0)}, [255, 255, 170, 85, 0, 0]),
    ],
)
def test_imadjust_by_hand(settings, expected):
    six = np.array([[0, 50, 100, 150, 200, 255]], np.uint8)
    # A cumulative share above 1/6 is first reached at 50, one of 5/6 at 200.
    found = imadjust(six, tol=(0.2, 0.8), **settings).pixels
    np.testing.assert_array_equal(found, [expected])


def test_histeq_by_hand():
    patch = np.array([[52, 55, 61, 66], [70, 61, 64, 73], [63, 59, 55, 90], [67, 61, 68, 104]], np.uint8)
    expected = [[0, 34, 102, 153], [204, 102, 136, 221], [119, 51, 34, 238], [170, 102, 187, 255]]
    np.testing.assert_array_equal(histeq(patch).pixels, expected)
    np.testing.assert_array_equal(cv2.equalizeHist(patch), expected)
    # scikit-image's has the plain cumulative share, whose least is not 0.
    np.testing.assert_allclose(exposure.equalize_hist(patch)[0, :2] * 255, [15.938, 47.812], atol=1e-3)


@pytest.mark.parametrize(("name", "mean"), [("coins", 128.287962), ("camera", 128.595413)])
def test_histeq_of_photographs(name, mean):
    picture = getattr(data, name)()
    found = histeq(picture).pixels
    assert found.mean() == pytest.approx(mean, abs=5e-7)
    np.testing.assert_array_equal(found, cv2.equalizeHist(picture))


def test_clahe():
    found = adapthisteq(data.coins(), clip=2).pixels
    assert found.mean() == pytest.approx(106.681888, abs=5e-7)
    assert found.std() == pytest.approx(59.917077, abs=5e-7)
    assert adapthisteq(data.camera(), clip=2).pixels.mean() == pytest.approx(132.754414, abs=5e-7)
    assert adapthisteq(data.coins(), clip=40).pixels.mean() == pytest.approx(130.264044, abs=5e-7)


def test_plain_adaptive_equalisation_of_a_ramp():
    ramp = np.tile(np.arange(0, 64, 4, dtype=np.uint8), (16, 1))
    row = adapthisteq(ramp, tiles=1, clip=None).pixels[0]
    np.testing.assert_array_equal(row, np.floor(255 * np.arange(1, 17) / 16 + 0.5))
    np.testing.assert_array_equal(row[[0, 1, 2, 7, 8, 9, 15]], [16, 32, 48, 128, 143, 159, 255])
    np.testing.assert_array_equal(histeq(ramp).pixels[0, :3], [0, 17, 34])


def test_grey():
    pixels = np.array([[[10, 20, 30], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    np.testing.assert_array_equal(to_grey(Image(pixels, axes="yxc")).pixels, [[18, 76, 150, 29]])
    np.testing.assert_array_equal(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), [[18, 76, 150, 29]])
    assert to_grey(Image(pixels[..., ::-1], axes="yxc")).pixels[0, 0] == 22
    other = to_grey(Image(pixels.astype(float), axes="yxc"), weights="709").pixels
    np.testing.assert_allclose(other, [[18.596, 54.1875, 182.427, 18.3855]], rtol=1e-12)
    np.testing.assert_allclose(color.rgb2gray(pixels) * 255, other, rtol=1e-12)


def test_two_greys_of_the_astronaut():
    # The first rounded to levels, as it comes from a picture of 8 bits; the second not, as scikit-image gives it.
    astronaut = data.astronaut()
    real = to_grey(Image(astronaut.astype(float), axes="yxc"), weights="709").pixels
    apart = np.abs(to_grey(Image(astronaut, axes="yxc")).pixels - real)
    assert apart.max() == pytest.approx(15.5293, abs=1e-3)
    assert apart.mean() == pytest.approx(2.7640, abs=1e-3)


def test_gaussian_of_a_point():
    point = np.zeros((21, 21))
    point[10, 10] = 1
    found = gaussian(point, sigma=1).pixels
    assert found[10, 10] == pytest.approx(0.159155892, abs=5e-10)
    assert found[10, 11] == pytest.approx(0.096532928, abs=5e-10)
    np.testing.assert_allclose(found, ndimage.gaussian_filter(point, 1), atol=1e-15)


def test_gaussian_of_camera_and_its_halo():
    camera = data.camera().astype(float)
    whole = gaussian(camera, sigma=2).pixels
    assert whole[100, 100] == pytest.approx(212.093202376229, abs=1e-11)
    assert filters.gaussian(camera, 2, preserve_range=True)[100, 100] == pytest.approx(212.093202376229, abs=1e-11)

    def tile(halo):
        return gaussian(camera[100 - halo : 140 + halo, 100 - halo : 140 + halo], sigma=2).pixels[halo:-halo, halo:-halo]

    np.testing.assert_array_equal(tile(8), whole[100:140, 100:140])
    assert np.abs(tile(7) - whole[100:140, 100:140]).max() > 0


def test_median_by_hand():
    patch = np.array([[1, 2, 3], [4, 100, 6], [7, 8, 9]])
    expected = [[2, 3, 3], [4, 6, 6], [7, 8, 9]]
    for dtype in (np.uint8, np.uint16, np.int64, np.float32, np.float64):
        np.testing.assert_array_equal(median(patch.astype(dtype)).pixels, expected)
    np.testing.assert_array_equal(cv2.medianBlur(patch.astype(np.uint8), 3), expected)
    np.testing.assert_array_equal(ndimage.median_filter(patch, 3), expected)


def test_percentiles_of_a_ramp():
    ramp = np.arange(101.0).reshape(1, 101)
    shares = normalise.summarise([ramp]).parts[0]
    assert (percentile(shares, 1), percentile(shares, 99.8)) == pytest.approx((1.0, 99.8), rel=1e-14)
    assert normalise(ramp).pixels[0, 50] == pytest.approx(0.4959514170, abs=1e-7)


@pytest.mark.parametrize(("name", "low", "high", "mean"), [("coins", 23.0, 230.298, 0.356277), ("camera", 4.0, 254.0, 0.500243)])
def test_percentiles_of_photographs(name, low, high, mean):
    picture = getattr(data, name)()
    found = normalise.summarise([picture]).parts[0]
    assert (percentile(found, 1), percentile(found, 99.8)) == pytest.approx((low, high), abs=1e-6)
    assert normalise(picture).pixels.astype(float).mean() == pytest.approx(mean, abs=5e-7)


def test_zscore_by_hand():
    np.testing.assert_allclose(zscore(np.array([[1, 2, 3, 4]])).pixels, [[-1.34164079, -0.4472136, 0.4472136, 1.34164079]], atol=1e-7)


@pytest.mark.parametrize(
    ("name", "mean", "deviation"), [("coins", 96.855516, 52.879819), ("camera", None, 73.644847), ("cell", None, 23.889547)]
)
def test_zscore_of_photographs(name, mean, deviation):
    found = zscore.summarise([getattr(data, name)()]).parts[0]
    assert found.deviation == pytest.approx(deviation, abs=5e-7)
    assert mean is None or found.mean == pytest.approx(mean, abs=5e-7)


def test_stains_of_a_colour():
    colour = np.array([[[100, 50, 150]]], np.uint8)
    found = separate_stains(Image(colour, axes="yxc")).pixels[0, 0]
    np.testing.assert_allclose(found, [0.577148, 0.282119, 0.040783], atol=5e-7)
    np.testing.assert_allclose(color.rgb2hed(colour)[0, 0], [0.09635533, 0.04708809, 0.00677618], atol=5e-9)


def test_stains_of_a_section():
    # The means are scikit-image's: over six, and of vectors that are not of length 1. As floats, where black is a millionth here too.
    picture = data.immunohistochemistry()
    found = separate_stains(Image(picture / 255, axes="yxc")).pixels.reshape(-1, 3).mean(0, dtype=np.float64)
    lengths = np.linalg.norm([(0.65, 0.70, 0.29), (0.07, 0.99, 0.11), (0.27, 0.57, 0.78)], axis=1)
    np.testing.assert_allclose(found / 6 / lengths, [2.0066e-2, 3.783e-7, 5.8182e-2], rtol=2e-4)
    np.testing.assert_allclose(color.rgb2hed(picture).reshape(-1, 3).mean(0), [2.0066e-2, 3.783e-7, 5.8182e-2], rtol=2e-4)


def test_resize_by_hand():
    # Without smoothing, as OpenCV's INTER_LINEAR and scipy's zoom with grid_mode have it.
    fine, pair = np.arange(4.0)[None], np.array([[0.0, 1.0]])
    np.testing.assert_allclose(resize(fine, spacing=(1, 2), antialias=False).pixels, [[0.5, 2.5]])
    np.testing.assert_allclose(resize(pair, spacing=(1, 0.5)).pixels, [[0, 0.25, 0.75, 1]])
    for image, length, found in ((fine, 2, [0.5, 2.5]), (pair, 4, [0, 0.25, 0.75, 1])):
        np.testing.assert_allclose(cv2.resize(image, (length, 1))[0], found)
        zoomed = ndimage.zoom(image, (1, length / image.size), order=1, grid_mode=True, mode="nearest")
        np.testing.assert_allclose(zoomed[0], found)
    five = np.arange(5.0)[None]
    np.testing.assert_array_equal(resize(five, spacing=(1, 5 / 3), sampling="nearest").pixels, [[0, 2, 4]])
    np.testing.assert_array_equal(cv2.resize(five, (3, 1), interpolation=cv2.INTER_NEAREST_EXACT), [[0, 2, 4]])


def test_rolling_ball_of_coins():
    coins = data.coins()
    result = rolling_ball(coins, radius=50).pixels
    background = coins - result
    assert background.mean() == pytest.approx(33.583024, abs=5e-7)
    assert (background.min(), background.max()) == (1, 114)
    assert result.mean() == pytest.approx(63.272492, abs=5e-7)
    np.testing.assert_array_equal(background, restoration.rolling_ball(coins, radius=50))
    assert (coins - rolling_ball(coins, radius=100).pixels).mean() == pytest.approx(28.195184, abs=5e-7)


def test_rolling_ball_is_the_erosion_half_of_an_opening():
    # The catalogue calls the background above a grey opening. It is the erosion by the ball, its top on the pixel;
    # the opening, which dilates again, lies higher.
    coins = data.coins()[100:200, 100:200].astype(np.float64)
    y, x = np.mgrid[-20:21, -20:21]
    disk = y * y + x * x <= 400
    ball = np.sqrt(np.where(disk, 400 - y * y - x * x, 0))
    eroded = ndimage.grey_erosion(coins, footprint=disk, structure=ball, mode="constant", cval=np.inf) + 20
    opened = ndimage.grey_dilation(eroded - 20, footprint=disk, structure=ball, mode="constant", cval=-np.inf)
    background = coins - rolling_ball(coins, radius=20).pixels
    np.testing.assert_allclose(background, eroded, atol=1e-9)
    assert (opened >= background - 1e-9).all()
    assert opened.mean() > background.mean() + 1
