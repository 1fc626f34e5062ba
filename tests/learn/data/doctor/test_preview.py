"""What a network will see of a data set: the masks go along with their images, and what cannot be read is left out and named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import collect_warnings
from microtome.learn.data.doctor.preview import preview
from microtome.learn.data.find import find_dataset


def saved(root: Path, count: int = 6, shape: tuple[int, ...] = (70, 90), colour: int = 0) -> Path:
    """Bright squares on dark ground and their masks; the last `colour` images in red, green and blue."""
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    for number in range(count):
        labels = np.zeros(shape, np.uint8)
        labels[20 + number : 50, 20:60] = 1
        image = 120 * labels + np.random.default_rng(number).integers(0, 40, shape).astype(np.uint8)
        if number >= count - colour:
            image = np.stack([image, image // 2, image // 4], axis=-1)
        PIL.Image.fromarray(image).save(root / "images" / f"a{number}.png")
        PIL.Image.fromarray(labels).save(root / "masks" / f"a{number}.png")
    return root


def opened(root: Path):
    with collect_warnings():
        return find_dataset(root, kind="semantic", skip_bad=True)


def outline(picture: np.ndarray) -> np.ndarray:
    """Where a grey picture has colour."""
    return picture.max(axis=-1) != picture.min(axis=-1)


def test_a_row_an_image_a_column_a_window(tmp_path: Path) -> None:
    found = preview(opened(saved(tmp_path / "set")), images=4, windows=3)
    assert len(found.rows) == 4
    assert all(len(row.windows) == 1 + 3 for row in found.rows)
    assert {window.shape for row in found.rows for window in row.windows} == {(70, 90, 3)}
    assert found.sheet().shape == (4 + 4 * (70 + 4), 4 + 4 * (90 + 4), 3)
    assert [next(iter(one.step)) for one in found.steps][:3] == ["flips", "affine", "elastic"]
    assert all(one.reason for one in found.steps)


def test_without_steps_every_window_is_as_it_is_and_outlined_where_the_mask_ends(tmp_path: Path) -> None:
    found = preview(opened(saved(tmp_path / "set", 1)), [], images=1, windows=2)
    before, after, other = found.rows[0].windows
    np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(before, other)  # the window is the whole image
    square = np.zeros((70, 90), bool)
    square[20:50, 20:60] = True
    square[21:49, 21:59] = False
    np.testing.assert_array_equal(outline(before), square)


def test_the_mask_goes_along(tmp_path: Path) -> None:
    upright = [{"flips": {"upright": True}}]
    found = preview(opened(saved(tmp_path / "set", 1)), upright, images=1, windows=12)
    before, *after = found.rows[0].windows
    mirrored = [not np.array_equal(window, before) for window in after]
    assert 0 < sum(mirrored) < 12
    for window, turned in zip(after, mirrored, strict=True):
        np.testing.assert_array_equal(window, before[:, ::-1] if turned else before)
    assert [one.reason for one in found.steps] == [""]


def test_the_same_seed_gives_the_same_and_another_another(tmp_path: Path) -> None:
    data = opened(saved(tmp_path / "set"))
    sheets = [preview(data, images=2, windows=3, seed=seed).sheet() for seed in (0, 0, 1)]
    np.testing.assert_array_equal(sheets[0], sheets[1])
    assert (sheets[0] != sheets[2]).any()


def test_what_cannot_be_read_is_named_and_others_stand_in(tmp_path: Path) -> None:
    root = saved(tmp_path / "set")
    (root / "images" / "a0.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    PIL.Image.fromarray(np.zeros((5, 5), np.uint8)).save(root / "masks" / "a3.png")
    found = preview(opened(root), images=4, windows=1)
    assert {row.name.split("/")[-1] for row in found.rows} == {"a1", "a2", "a4", "a5"}
    assert len(found.left_out) == 2
    assert any("a0.png" in message for message in found.left_out)
    assert any("(70, 90)" in message for message in found.left_out)


def test_grey_and_coloured_together_are_grey(tmp_path: Path) -> None:
    found = preview(opened(saved(tmp_path / "set", colour=2)), images=6, windows=1)
    assert not {"hue", "hed_jitter"} & {name for one in found.steps for name in one.step}
    assert "all are made grey" in found.about
    assert all((outline(row.windows[0]).mean() < 0.1) for row in found.rows)


def test_pictures_with_a_grain_are_hardly_turned(tmp_path: Path) -> None:
    def turned(root: Path) -> tuple[float, str]:
        found = preview(opened(root), images=8, windows=1)
        (angles,) = (one.step["affine"]["rotation"] for one in found.steps if "affine" in one.step)
        return max(angles), found.about

    root = saved(tmp_path / "set", count=12)
    for path in (root / "images").iterdir():
        PIL.Image.fromarray(np.random.default_rng(0).integers(0, 255, (70, 90), np.uint8)).save(path)
    assert turned(root)[0] == 180
    for path in (root / "images").iterdir():
        PIL.Image.fromarray(np.tile(np.arange(90, dtype=np.uint8), (70, 1))).save(path)
    angle, about = turned(root)
    assert angle == 10
    assert "across as down, in 100% of 12 pictures or groups" in about


def test_a_step_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    data = opened(saved(tmp_path / "set"))
    with pytest.raises(InputError, match="hed_jitter needs red, green and blue"):
        preview(data, ["hed_jitter"])
    with pytest.raises(RecipeError, match="did you mean elastic"):
        preview(data, ["elastik"])


def test_nothing_to_show(tmp_path: Path) -> None:
    root = saved(tmp_path / "set", 2)
    for path in (root / "images").iterdir():
        path.write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(InputError, match=r"no image with labels to show; .*a0\.png"):
        preview(opened(root))
