"""The augmentation that training begins with, each step with its reason; the one place where it is settled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

from microtome.core.errors import RecipeError
from microtome.learn.augment.chain import chain_of

__all__ = ["Content", "Suggested", "default_chain"]

Content = Literal["grey", "fluorescence", "histology", "colour"]
"""What pictures show: one grey channel (phase contrast, electrons, X-rays), stains in channels of their own, a stained bright field in
red, green and blue, or colour pictures of anything else (mixed sets too)."""

_GIVE = 0.06
"""The elastic displacement's standard deviation in distances between knots: from a quarter on, a picture may fold over itself."""
_MOST_GIVE = 10.0  # U-Net's


class Suggested(NamedTuple):
    """A step of a chain as plain data, and why it is there.

    Attributes
    ----------
    step : dict
        ``{name: {setting: value}}``, as `chain_of` takes it.
    reason : str
    """

    step: dict[str, dict[str, Any]]
    reason: str


def default_chain(
    *, channels: int, window: Sequence[int], content: Content = "grey", oriented: bool | Literal["grain"] = False
) -> list[Suggested]:
    """Suggest a chain of augmentation steps for images of a kind.

    Parameters
    ----------
    channels : int
        Of an image.
    window : sequence of int
        Its shape, (y, x) or (z, y, x), in pixels.
    content : {"grey", "fluorescence", "histology", "colour"}
        What the pictures show (`microtome.learn.augment.content.content_of` looks at them). Only ``"histology"`` has its stains changed,
        and only of three channels.
    oriented : bool or "grain"
        Up is up in these pictures (X-rays, street scenes, retinas, layers of tissue): mirrored from left to right only, and hardly turned.
        ``"grain"``: they have a grain, as ground metal has: mirrored both ways, and hardly turned.

    Returns
    -------
    list of Suggested
        ``[one.step for one in default_chain(...)]`` is a chain.

    Raises
    ------
    RecipeError
        If the window has not two or three axes, `channels` is below 1, or `content` is unknown.

    Notes
    -----
    Amounts are shares of each image's own range (its 1st to 99.8th percentile, see `Example`), so that the chain is the same for images as
    they were read and for normalised ones. Every step that changes values is left out of most windows, so that most of what a network sees
    is as it was taken; a change of place costs nothing of that and is frequent.

    References
    ----------
    F. Isensee et al., nnU-Net, Nature Methods 18, 2021, doi:10.1038/s41592-020-01008-z, supplementary note 4 (which steps, how often:
    scale and turn .2, noise .1, blur .2, brightness and contrast .15, low resolution .25, gamma .3). U. Schmidt et al., StarDist,
    MICCAI 2018 (flips, quarter turns, gain and bias). O. Ronneberger et al., U-Net, MICCAI 2015, section 3.1 (elastic). J. C. Caicedo et
    al., Nature Methods 16, 2019, doi:10.1038/s41592-019-0612-7 (the Data Science Bowl of 2018: what its first places had in common).
    D. Tellez et al., IEEE TMI 37, 2018, doi:10.1109/TMI.2018.2820199 (stains).

    Examples
    --------
    >>> [next(iter(one.step)) for one in default_chain(channels=1, window=(256, 256))]
    ['flips', 'affine', 'elastic', 'blur', 'downscale', 'gain', 'bias', 'gamma', 'contrast', 'gaussian_noise']
    >>> default_chain(channels=3, window=(256, 256), content="histology")[3].step
    {'hed_jitter': {'probability': 0.5, 'factor': 0.05, 'shift': 0.03}}
    """
    if len(window) not in (2, 3) or min(window) < 1:
        raise RecipeError(f"window: found {tuple(window)}, expected 2 or 3 sizes from 1")
    if channels < 1:
        raise RecipeError(f"channels: found {channels}, expected a whole number from 1")
    if content not in get_args(Content):
        raise RecipeError(f"content: found {content!r}, expected one of {', '.join(get_args(Content))}")
    steps = [*_places(window, oriented), *_colours(channels, content), *_optics(), *_light(channels, content), *_camera()]
    chain_of([one.step for one in steps], place="default augmentation")
    return steps


def _places(window: Sequence[int], oriented: bool | Literal["grain"]) -> list[Suggested]:
    """What moves pixels."""
    turn, turned = (10.0, "hardly turned") if oriented else (180.0, "turned by any angle")
    if oriented == "grain":
        mirror = Suggested({"flips": {"turns": False}}, "mirrored, not turned by quarters: the pictures have a grain")
    elif oriented:
        mirror = Suggested({"flips": {"upright": True}}, "mirrored from left to right only: the pictures have an up and a down")
    else:
        mirror = Suggested({"flips": {"turns": True}}, "mirrored and turned by quarters: no direction is special, nothing is interpolated")
    affine = {"probability": 0.5, "rotation": [-turn, turn], "scale": [0.8, 1.25], "shear": [-5.0, 5.0]}
    sigma = round(min(_GIVE * min(window) / 2, _MOST_GIVE), 2)
    return [
        mirror,
        Suggested({"affine": affine}, f"larger, smaller, sheared a little and {turned}; half of the windows keep their pixels as taken"),
        Suggested({"elastic": {"probability": 0.2, "sigma": sigma, "knots": 3}}, f"soft things bend: by about {sigma:g} pixels"),
    ]


def _colours(channels: int, content: Content) -> list[Suggested]:
    if channels != 3:
        return []
    if content == "histology":
        step = {"hed_jitter": {"probability": 0.5, "factor": 0.05, "shift": 0.03}}
        return [Suggested(step, "haematoxylin and eosin differ from one laboratory and one day to the next")]
    if content == "colour":
        return [Suggested({"hue": {"probability": 0.2, "shift": [-0.03, 0.03]}}, "lamps and cameras differ in their colours")]
    return []


def _optics() -> list[Suggested]:
    return [
        Suggested({"blur": {"probability": 0.15, "sigma": [0.5, 1.5]}}, "some pictures are a little out of focus"),
        Suggested({"downscale": {"probability": 0.15, "factor": [1.0, 2.0]}}, "some pictures come from a coarser microscope or camera"),
    ]


def _light(channels: int, content: Content) -> list[Suggested]:
    """What exposure and staining change."""
    if content == "histology":
        return [
            Suggested({"gain": {"probability": 0.15, "strength": [0.9, 1.11]}}, "lamps differ a little; white stays nearly white"),
            Suggested({"gamma": {"probability": 0.2, "exponent": [0.8, 1.25]}}, "scanners differ in their tone curves"),
            Suggested({"contrast": {"probability": 0.15, "strength": [0.8, 1.25]}}, "sections differ in thickness"),
        ]
    alone = channels > 1 and content == "fluorescence"
    each = {"each_channel": True} if alone else {}
    return [
        Suggested(
            {"gain": {"probability": 0.25, "strength": [0.75, 1.33], **each}},
            "exposure differs" + (", of each channel alone: they are taken one after another" if alone else ""),
        ),
        Suggested({"bias": {"probability": 0.15, "strength": [-0.1, 0.1], **each}}, "background light and black levels differ"),
        Suggested({"gamma": {"probability": 0.3, "exponent": [0.7, 1.5]}}, "middle tones differ between detectors and exposures"),
        Suggested({"contrast": {"probability": 0.15, "strength": [0.75, 1.33]}}, "objects stand out more or less"),
    ]


def _camera() -> list[Suggested]:
    return [Suggested({"gaussian_noise": {"probability": 0.15, "sigma": [0.0, 0.05]}}, "short exposures are noisy")]
