"""What every step of the catalogue promises, checked by what the step says of itself: a new file is tested by existing."""

from __future__ import annotations

import doctest
import inspect
import sys
import typing
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from microtome.core.errors import InputError, MicrotomeError, RecipeError
from microtome.core.events import collect_warnings
from microtome.core.kernels import bands
from microtome.core.parameters import Odd, Range
from microtome.core.raster import Image, InstanceMap, Raster
from microtome.core.step import Step
from microtome.core.tiling import Local, Mergeable, Reducible, Whole, Windowed

from .examples import STEPS, example, inputs_of, settings_of
from .tiles import (
    arrays_of,
    blocks_joined,
    components_joined,
    nouns_of,
    same_objects,
    tiles_by_summary,
    tiles_with_halo,
    windows_blended,
)

DTYPES = [np.uint8, np.uint16, np.int32, np.float32, np.float64]
Arrays = dict[str, np.ndarray]


def having(tiling: type, *, by: str = "") -> list[Any]:
    """The steps that declare this tiling."""
    chosen = [step for step in STEPS if isinstance(step.tiling, tiling) and (not by or getattr(step.tiling, "by", "") == by)]
    return [pytest.param(step, id=step.name) for step in chosen]


every_step = pytest.mark.parametrize("step", [pytest.param(step, id=step.name) for step in STEPS])
every_image_step = pytest.mark.parametrize(
    "step", [pytest.param(s, id=s.name) for s in STEPS if any(Image in need.nouns for need in s.inputs.values())]
)
in_2d_and_3d = pytest.mark.parametrize("ndim", [2, 3])


def run(step: Step, inputs: dict[str, Any], **settings: Any) -> Arrays:
    """Call the step as its neighbours in a recipe would; what it warns of is none of this file's business."""
    ndim = next((noun.ndim for noun in inputs.values()), 2)
    with collect_warnings():
        return arrays_of(step(**inputs, **{**settings_of(step, ndim), **settings}))


def run_or_refuse(step: Step, inputs: dict[str, Any]) -> Arrays | None:
    """Call a step with what it may refuse, but only by an InputError."""
    try:
        return run(step, inputs)
    except InputError:
        return None


def assert_same(one: Arrays, other: Arrays) -> None:
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].dtype == other[name].dtype, name
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def takes(step: Step, inputs: dict[str, Raster]) -> bool:
    """Whether the step works on these inputs at all (a step for colours takes no single channel)."""
    return run_or_refuse(step, inputs) is not None


def usual_inputs(step: Step, ndim: int = 2, dtype: Any = np.uint8) -> dict[str, Raster]:
    """Inputs the step takes: one channel or, where it wants colours, three."""
    inputs = inputs_of(step, ndim, dtype)
    return inputs if takes(step, inputs) else with_channels(inputs)


def with_channels(inputs: dict[str, Raster]) -> dict[str, Raster]:
    """The same with three channels in every image: the picture, mirrored, and both."""

    def coloured(noun: Raster) -> Raster:
        if not isinstance(noun, Image) or noun.has_channels:
            return noun
        first, second = noun.pixels, noun.pixels[..., ::-1]
        return Image(np.stack([first, second, np.maximum(first, second)], axis=-1), axes=noun.axes + "c")

    return {name: coloured(noun) for name, noun in inputs.items()}


def with_arrays(inputs: dict[str, Raster], change: Any) -> dict[str, Raster]:
    """The same nouns over changed arrays."""
    return {name: noun.with_pixels(change(noun.pixels)) for name, noun in inputs.items()}


# Inputs


@every_image_step
@in_2d_and_3d
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_of_pixel_gives_a_result_of_the_same_shape(step: Step, ndim: int, dtype: Any) -> None:
    inputs = usual_inputs(step, ndim, dtype)
    result = run_or_refuse(step, inputs)
    if result is None:
        assert ndim == 3 or dtype is np.int32, "a step may refuse volumes and integers without a usual range, nothing else"
        return
    shape = next(iter(inputs.values())).shape
    assert all(array.shape[:ndim] == shape for array in result.values())
    assert all(np.isfinite(array).all() for array in result.values())


@every_step
@in_2d_and_3d
def test_every_noun_an_input_names_is_taken(step: Step, ndim: int) -> None:
    inputs = usual_inputs(step, ndim)
    for name, need in step.inputs.items():
        for noun in need.nouns:
            if noun in (type(inputs[name]), Image):
                continue
            run(step, {**inputs, name: example(noun, name, inputs[name].shape)})


@every_step
def test_leaving_out_an_input_gives_a_result_or_says_which_is_needed(step: Step) -> None:
    inputs = usual_inputs(step)
    for left_out in [{name} for name in inputs] + [set(inputs)]:
        rest = {name: noun for name, noun in inputs.items() if name not in left_out}
        if run_or_refuse(step, rest) is not None:
            assert all(step.inputs[name].optional for name in left_out)
            continue
        with pytest.raises(InputError, match="needs"):
            run(step, rest)


@every_image_step
@in_2d_and_3d
def test_channels_are_refused_or_treated_as_declared(step: Step, ndim: int) -> None:
    inputs = inputs_of(step, ndim)
    coloured = with_channels(inputs)
    if step.channels == "refused":
        with pytest.raises(InputError, match=r"3 channels"):
            run(step, coloured)
        return
    result = run(step, coloured)
    if step.channels == "each":
        image = next(name for name, noun in coloured.items() if isinstance(noun, Image))
        for number in range(3):
            alone = run(step, {**coloured, image: coloured[image].channel(number)})
            assert_same({name: array[..., number] for name, array in result.items()}, alone)


@every_step
@in_2d_and_3d
def test_how_an_array_lies_in_memory_changes_nothing(step: Step, ndim: int) -> None:
    inputs = usual_inputs(step, ndim)
    reference = run(step, inputs)

    def sparse(pixels: np.ndarray) -> np.ndarray:
        wide = np.zeros(tuple(2 * n for n in pixels.shape), pixels.dtype)
        view = wide[tuple(slice(None, None, 2) for _ in pixels.shape)]
        view[...] = pixels
        return view

    for change in (sparse, np.asfortranarray, lambda pixels: pixels[::-1].copy()[::-1], np.ascontiguousarray):
        assert_same(run(step, with_arrays(inputs, change)), reference)


@every_step
def test_the_input_is_left_as_it_was(step: Step) -> None:
    inputs = usual_inputs(step)
    owned = {name: noun.pixels.copy() for name, noun in inputs.items()}
    run(step, {name: type(noun)(owned[name], axes=noun.axes) for name, noun in inputs.items()})
    for name, noun in inputs.items():
        np.testing.assert_array_equal(owned[name], noun.pixels)
        assert owned[name].flags.writeable


@every_step
def test_a_plain_array_stands_for_its_noun(step: Step) -> None:
    inputs = inputs_of(step)
    if not takes(step, inputs) or any(noun.has_channels for noun in inputs.values()):
        return  # of an array with channels the axes have to be named
    plain = {
        name: noun.pixels.astype(bool) if step.inputs[name].nouns[0].__name__ == "SemanticMap" else noun.pixels
        for name, noun in inputs.items()
    }
    assert_same(run(step, plain), run(step, inputs))


@every_step
@in_2d_and_3d
def test_a_single_pixel_and_a_single_row_give_a_result_or_are_refused(step: Step, ndim: int) -> None:
    inputs = usual_inputs(step, ndim)
    for corner in ((1,) * ndim, (*(1,) * (ndim - 1), 7), (7, *(1,) * (ndim - 1))):
        part = with_arrays(inputs, lambda pixels, corner=corner: pixels[tuple(slice(n) for n in corner)])
        result = run_or_refuse(step, part)
        assert result is None or all(array.shape[:ndim] == corner for array in result.values())


@every_step
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("value", [0, 1, 200])
def test_a_constant_input_gives_a_finite_result_or_is_refused(step: Step, dtype: Any, value: int) -> None:
    inputs = usual_inputs(step, 2, dtype)
    if not any(isinstance(noun, Image) for noun in inputs.values()):
        value = min(value, 1)
    result = run_or_refuse(step, with_arrays(inputs, lambda pixels: np.full_like(pixels, value)))
    assert result is None or all(np.isfinite(array).all() for array in result.values())


@every_step
@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_an_empty_input_is_refused(step: Step, shape: tuple[int, int]) -> None:
    inputs = {name: type(noun)(np.zeros(shape, noun.pixels.dtype)) for name, noun in inputs_of(step).items()}
    with pytest.raises(InputError, match="empty"):
        run(step, inputs)


@every_image_step
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused_with_their_count(step: Step, dtype: Any, value: float) -> None:
    if step.accepts_nan:
        return
    inputs = usual_inputs(step, 2, dtype)

    def spoilt(pixels: np.ndarray) -> np.ndarray:
        pixels = pixels.copy()
        pixels[3, 5] = value
        return pixels

    name = next(name for name, noun in inputs.items() if isinstance(noun, Image))
    bad = inputs[name].with_pixels(spoilt(inputs[name].pixels))
    with pytest.raises(InputError, match=rf"{bad.channel_count} of {bad.pixels.size} values are NaN or infinite, the first at \(3, 5"):
        run(step, {**inputs, name: bad})


@every_step
@pytest.mark.parametrize("dtype", [np.complex64, object, "datetime64[s]", "U3"])
def test_what_is_no_number_is_refused(step: Step, dtype: Any) -> None:
    inputs = usual_inputs(step)
    for name, noun in inputs.items():
        bad = np.zeros(noun.pixels.shape, dtype)
        with pytest.raises(InputError, match=r"dtype|whole numbers"):
            run(step, {**inputs, name: type(noun)(bad, axes=noun.axes)})


@every_image_step
def test_true_and_false_are_taken_for_what_they_are_or_refused(step: Step) -> None:
    run_or_refuse(step, usual_inputs(step, 2, bool))


# Determinism


@pytest.fixture
def small_bands(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Bands of a few rows, so that small pictures have many; the threads' limit comes back afterwards."""
    cut = bands.bands
    monkeypatch.setattr(bands, "bands", lambda rows, height=256: cut(rows, min(height, 9)))
    before = list(bands._limit)
    yield
    bands._limit[:] = before


@every_step
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.usefixtures("small_bands")
def test_the_same_bytes_come_out_again_and_on_any_number_of_threads(step: Step, dtype: Any) -> None:
    results = []
    for threads in (1, 2, 2, 3):
        bands.set_threads(threads)
        results.append(run(step, usual_inputs(step, 2, dtype)))
    for other in results[1:]:
        assert_same(results[0], other)
        assert all(results[0][name].tobytes() == other[name].tobytes() for name in other)


# Settings


@every_step
def test_a_misspelt_setting_is_refused_with_the_nearest_name(step: Step) -> None:
    for name in step.settings:
        with pytest.raises(RecipeError, match=rf"did you mean .*\b{name}\b"):
            step.check({f"{name}{name[-1]}": 1})
    with pytest.raises(RecipeError, match="no such setting"):
        run(step, usual_inputs(step), unheard_of=1)


def outside(bounds: Range | Odd | None) -> list[Any]:
    """Values that the declared range leaves out."""
    if isinstance(bounds, Odd):
        return [bounds.min - 2, bounds.min + 1] + ([bounds.max + 2] if bounds.max else [])
    if bounds is None:
        return []
    beyond = [bounds.min - 1 if bounds.min is not None else None, bounds.max + 1 if bounds.max is not None else None, bounds.above]
    return [value for value in beyond if value is not None] + [float("nan"), float("inf")]


@every_step
def test_a_setting_outside_its_range_is_refused_by_name(step: Step) -> None:
    for name, setting in step.settings.items():
        for value in [*outside(setting.bounds), object()]:
            with pytest.raises(RecipeError, match=name):
                step.check({**settings_of(step), name: value})


@every_step
def test_defaults_are_in_their_own_range(step: Step) -> None:
    for name, setting in step.settings.items():
        if not setting.required:
            assert setting.check(setting.default, name) == setting.default


# Settings whose words ask for what another install, processor or file has, and are refused without it.
MAY_NEED_MORE = {"network": ("engine", "precision")}


@every_step
def test_every_choice_of_words_works(step: Step) -> None:
    inputs = usual_inputs(step)
    for name, setting in step.settings.items():
        for word in typing.get_args(setting.annotation) if typing.get_origin(setting.annotation) is typing.Literal else ():
            with suppress(MicrotomeError) if name in MAY_NEED_MORE.get(step.name, ()) else nullcontext():
                run(step, inputs, **{name: word})


# Words


PAPERS = {
    "connected_components": "Rosenfeld",
    "kmeans": "Lloyd",
    "otsu": "Otsu",
    "rolling_ball": "Sternberg",
    "watershed": "Meyer",
}


@every_step
def test_the_docstring_says_what_goes_in_what_comes_out_and_shows_it(step: Step) -> None:
    lines = step.doc.splitlines()
    for section in ("Parameters", "Returns", "Examples", *(["References"] if step.name in PAPERS else [])):
        assert section in lines, f"no {section} section"
        assert set(lines[lines.index(section) + 1]) == {"-"}, f"{section} is not underlined"
    assert PAPERS.get(step.name, "") in step.doc
    assert step.summary_line.endswith(".")
    assert len(step.summary_line) <= 120


@every_step
def test_every_input_and_setting_is_described(step: Step) -> None:
    silent = [name for name, need in step.inputs.items() if not need.about and len(step.inputs) > 1]
    silent += [name for name, setting in step.settings.items() if not setting.about]
    assert not silent
    signature = inspect.signature(step.function)
    assert not [name for name in step.settings if signature.parameters[name].kind is not inspect.Parameter.KEYWORD_ONLY]


@every_step
def test_the_examples_of_the_docstring_run(step: Step) -> None:
    names = {"np": np, **vars(sys.modules[step.function.__module__])}
    examples = doctest.DocTestParser().get_doctest(step.doc, names, step.name, None, 0)
    assert examples.examples
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(examples, out=said.append)
    assert not said, "".join(said)


# Tiles


@pytest.mark.parametrize("step", having(Local))
@in_2d_and_3d
@pytest.mark.parametrize("dtype", DTYPES)
def test_local_tiles_equal_the_whole_bit_for_bit(step: Step, ndim: int, dtype: Any) -> None:
    inputs = usual_inputs(step, ndim, dtype)
    settings = settings_of(step)
    if run_or_refuse(step, inputs) is None:
        return
    halo = step.tiling.reach(SimpleNamespace(**step.in_pixels(step.check(settings), inputs)))
    with collect_warnings():
        assert_same(tiles_with_halo(step, inputs, settings, halo), run(step, inputs))


@pytest.mark.parametrize("step", having(Reducible))
@in_2d_and_3d
@pytest.mark.parametrize("dtype", DTYPES)
def test_tiles_that_share_a_summary_equal_the_whole_bit_for_bit(step: Step, ndim: int, dtype: Any) -> None:
    inputs = usual_inputs(step, ndim, dtype)
    if run_or_refuse(step, inputs) is None:
        return
    with collect_warnings():
        assert_same(tiles_by_summary(step, inputs, settings_of(step)), run(step, inputs))
        if step.channels != "refused":
            coloured = with_channels(inputs)
            assert_same(tiles_by_summary(step, coloured, settings_of(step)), run(step, coloured))


@pytest.mark.parametrize("step", having(Mergeable, by="faces"))
@in_2d_and_3d
def test_blocks_joined_across_faces_show_the_same_objects(step: Step, ndim: int) -> None:
    inputs = usual_inputs(step, ndim)
    for connectivity in ("full", "faces"):
        settings = {**settings_of(step), "connectivity": connectivity} if "connectivity" in step.settings else settings_of(step)
        with collect_warnings():
            joined = blocks_joined(step, inputs, settings)
        whole = run(step, inputs, **settings)
        assert all(same_objects(joined[name], whole[name]) for name in whole)


@pytest.mark.parametrize("step", having(Mergeable, by="component"))
@in_2d_and_3d
@pytest.mark.parametrize("noun", [0, 1])
def test_a_component_has_the_same_result_with_nothing_else_around(step: Step, ndim: int, noun: int) -> None:
    inputs = usual_inputs(step, ndim)
    mask = "mask" if "mask" in inputs else next(name for name, value in inputs.items() if not isinstance(value, Image))
    nouns = step.inputs[mask].nouns
    if noun >= len(nouns):
        return
    if noun:
        inputs[mask] = example(nouns[noun], mask, inputs[mask].shape)
    with collect_warnings():
        joined = components_joined(step, inputs, settings_of(step))
        whole = nouns_of(step(**inputs, **settings_of(step)))
    for name, result in whole.items():
        if isinstance(result, InstanceMap):
            assert same_objects(joined[name], result.pixels)
        else:
            np.testing.assert_array_equal(joined[name], result.pixels)


@pytest.mark.parametrize("step", having(Windowed))
@in_2d_and_3d
def test_the_result_is_the_mean_over_a_grid_of_windows_weighted_by_ramps(step: Step, ndim: int) -> None:
    inputs = usual_inputs(step, ndim)
    settings = settings_of(step, ndim)
    window, overlap = grid_of(settings, ndim)
    expected = windows_blended(step, inputs, settings, window, overlap)
    (found,) = run(step, inputs).values()
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("step", having(Windowed))
@in_2d_and_3d
def test_the_grid_of_windows_starts_at_the_origin_whatever_the_image_s_size(step: Step, ndim: int) -> None:
    inputs = usual_inputs(step, ndim)
    window, overlap = grid_of(settings_of(step, ndim), ndim)
    shape = [n - 3 for n in next(iter(inputs.values())).shape]
    less = with_arrays(inputs, lambda pixels: pixels[tuple(slice(n) for n in shape)])
    # Up to the first window that reaches over the new end nothing may change.
    ends = [((n - w) // (w - o) + 1) * (w - o) for n, w, o in zip(shape, window, overlap, strict=True)]
    kept = tuple(slice(end) for end in ends)
    assert all(end > 0 for end in ends)
    assert_same({name: array[kept] for name, array in run(step, less).items()}, {name: a[kept] for name, a in run(step, inputs).items()})


@pytest.mark.parametrize("step", having(Windowed))
@in_2d_and_3d
@pytest.mark.parametrize("window", [16, 96])
@pytest.mark.usefixtures("small_bands")
def test_windows_at_once_and_threads_change_no_byte(step: Step, ndim: int, window: int) -> None:
    results = []
    for batch, threads in ((1, 1), (1, 2), (2, 3), (7, 1), (7, 2)):
        bands.set_threads(threads)
        results.append(run(step, usual_inputs(step, ndim), window=window, batch=batch))
    for other in results[1:]:
        assert_same(results[0], other)
        assert all(results[0][name].tobytes() == other[name].tobytes() for name in other)


def grid_of(settings: dict[str, Any], ndim: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Size and overlap of the windows along each axis, as the settings give them; along z a quarter overlaps."""
    plane = (settings["window"],) * 2, (settings["overlap"],) * 2
    return plane if ndim == 2 else ((settings["depth"], *plane[0]), (settings["depth"] // 4, *plane[1]))


@pytest.mark.parametrize("step", having(Whole))
def test_a_step_that_refuses_tiles_says_why(step: Step) -> None:
    assert len(step.tiling.why.split()) > 3
    assert not step.tiling.why.endswith(".")


def test_the_catalogue_holds_steps_of_every_tiling() -> None:
    assert {type(step.tiling) for step in STEPS} == {Local, Reducible, Mergeable, Whole, Windowed}
