"""A bundle: a recipe that brings its network along, as a folder or a zip that runs without torch.

    recipe.yaml            the recipe, its networks named relative to the bundle
    networks/NAME.onnx     one or several
    networks/NAME.json     what it is: network, channels_in, outputs, settings; optional, as are its weights
    weights.safetensors    the same weights, for further training; of several networks networks/NAME.safetensors
    card.md                what it was trained on, at which object size, how it scored, where it fails
    example/               an image, the mask it must give, and the tolerance
    sha256sums             of every other member

No pickle, ever.
"""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, RecipeError, did_you_mean
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.io.whole import whole_file
from microtome.run import yaml_text
from microtome.run.bundle_file import SUMS, member_names, read_member, sha256
from microtome.run.recipe import Recipe
from microtome.run.shipped import model_names, model_path, recipe_names

__all__ = ["Bundle", "Example", "Verdict", "agreement", "example_of", "find_bundle", "open_bundle", "replayed", "segmented_example",
           "verify", "write_bundle"]  # fmt: skip

Mask = SemanticMap | InstanceMap
_HEAD = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_LONGEST = 1 << 24  # bytes of a member that is text: none is that long
_DATE = (1980, 1, 1, 0, 0, 0)  # zips hold no times: the same bundle is the same bytes


@dataclass(frozen=True, eq=False)
class Bundle:
    """An opened bundle.

    Attributes
    ----------
    path : Path
    recipe : Recipe
        Its networks named by absolute paths, so that it runs from anywhere.
    card : str
        The card's text, without its head.
    facts : mapping
        The card's head: object size and spacing of the training data, metrics, tolerance.
    """

    path: Path
    recipe: Recipe
    card: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Example:
    """An image and the mask that the bundle makes of it."""

    image: Image
    mask: Mask


@dataclass(frozen=True)
class Verdict:
    """What `verify` found: how well the example's mask was met, and how well it must be."""

    agreement: float
    tolerance: float
    members: int

    @property
    def sound(self) -> bool:
        """Whether the example came out as it must."""
        return self.agreement >= self.tolerance


def find_bundle(name: str | os.PathLike[str]) -> Bundle:
    """A shipped model by its name, or any by its bundle's path.

    Raises
    ------
    RecipeError
        If there is neither, with near spellings; if the path is of something else that a model is made of.
    """
    if str(name) in model_names():
        return open_bundle(model_path(str(name)))
    path = Path(name)
    if not path.exists():
        other = f" (there is a recipe {str(name)!r}: --recipe {name})" if str(name) in recipe_names() else ""
        raise RecipeError(f"no model {str(name)!r}{other}{did_you_mean(str(name), model_names())}; a bundle is named by its path")
    if instead := _instead(path):
        raise RecipeError(f"{path}: {instead}")
    return open_bundle(path)


def _instead(path: Path) -> str:
    """What to name instead of something that is no bundle, though people take it for one; empty for what may be one."""
    if path.suffix in (".yaml", ".yml"):
        return "is a recipe, not a model; name it with --recipe"
    if path.suffix == ".onnx":
        return f"is a network without a recipe, not a model; run it with --step network:weights={path}, or make a bundle of it"
    if path.is_dir() and not (path / "recipe.yaml").is_file() and (path / "model.zip").is_file():
        return f"is the folder of a training; its model is {path / 'model.zip'}"
    names = member_names(path)
    if "recipe.yaml" not in names and any(name.count("/") == 1 and name.endswith("/recipe.yaml") for name in names):
        return "holds a bundle one folder down; name that folder, or pack what is in it, not the folder itself"
    return ""


def open_bundle(path: Path) -> Bundle:
    """Open a bundle; its networks are not loaded before they are used, and checked then.

    Raises
    ------
    InputError
        If a member is missing, or the recipe names a network outside of the bundle.
    """
    path = Path(path).resolve()
    document = yaml_text.load(_text(path, "recipe.yaml"), f"{path}: recipe.yaml")
    card = _text(path, "card.md")
    head = _HEAD.match(card)
    facts = yaml_text.load(head[1], f"{path}: card.md") if head else {}
    recipe = Recipe.from_document(_located(document, path), f"{path}: recipe.yaml")
    return Bundle(path, recipe, card[head.end() :] if head else card, facts if isinstance(facts, dict) else {})


def _text(path: Path, name: str) -> str:
    try:
        return read_member(path, name, most=_LONGEST).decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: {name} is not text in UTF-8") from None


def _located(document: Any, path: Path) -> Any:
    """The recipe with the bundle's own path before the names of its networks."""
    names = set(member_names(path))
    steps = document.get("steps") if isinstance(document, dict) else None
    for use in steps if isinstance(steps, list) else []:
        settings = use.get("network") if isinstance(use, dict) else None
        if isinstance(settings, dict) and "weights" in settings:
            settings["weights"] = _absolute(settings["weights"], names, path)
    return document


def _absolute(weights: Any, names: Set[str], path: Path) -> str | list[str]:
    for name in weights if isinstance(weights, list) else [weights]:
        if not isinstance(name, str) or name not in names:
            raise InputError(f"{path}: the recipe names the network {name!r}, which is not in the bundle")
    return [str(path / name) for name in weights] if isinstance(weights, list) else str(path / weights)


def write_bundle(
    path: Path,
    recipe: Mapping[str, Any],
    networks: Mapping[str, bytes],
    *,
    card: str,
    facts: Mapping[str, Any],
    example: Example | None = None,
    weights: bytes | Mapping[str, bytes] | None = None,
    architectures: Mapping[str, Mapping[str, Any]] | None = None,
) -> Path:
    """Write a bundle as a zip; the same contents are the same bytes.

    Parameters
    ----------
    path : Path
    recipe : mapping
        A recipe's document; the `weights` of its network steps are names of `networks` (a list for an ensemble), and get their place and
        hash here.
    networks : mapping of str to bytes
        ONNX models by name.
    card, facts
        The card's text, and what stands at its head.
    example : Example, optional
        What `verify` replays.
    weights : bytes, or mapping of str to bytes, optional
        A safetensors file of the only network, or one by name of each.
    architectures : mapping of str to mapping, optional
        By name of each network what `networks.build` makes it of: ``network`` (its name), ``channels_in``, ``outputs``, ``settings``.
        With it and the weights the bundle can be trained further, and run by torch.

    Raises
    ------
    RecipeError
        If the recipe, `weights` or `architectures` name a network that is not there.
    """
    members: dict[str, bytes] = {f"networks/{name}.onnx": data for name, data in networks.items()}
    told = {**facts, **_read_as(example.image)} if example is not None else facts
    head = "".join(f"{name}: {yaml_text.dump_value(fact)}\n" for name, fact in told.items())
    members["card.md"] = f"---\n{head}---\n\n{card.strip()}\n".encode()
    members["recipe.yaml"] = yaml_text.dump(_settled(recipe, members)).encode()
    members |= _for_torch(networks, weights, architectures or {})
    if example is not None:
        members["example/image.npy"], members["example/mask.npy"] = _npy(example.image.pixels), _npy(example.mask.pixels)
    members[SUMS] = "".join(f"{sha256(data)}  {name}\n" for name, data in sorted(members.items())).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in sorted(members.items()):
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    with whole_file(path) as temporary:
        temporary.write_bytes(buffer.getvalue())
    return path


def _read_as(image: Image) -> dict[str, Any]:
    """What an example's pixels do not say themselves."""
    spacing = {} if image.spacing is None else {"example_spacing": list(image.spacing), "example_unit": image.unit}
    return {"example_axes": image.axes, **spacing}


def _for_torch(
    networks: Mapping[str, bytes], weights: bytes | Mapping[str, bytes] | None, architectures: Mapping[str, Mapping[str, Any]]
) -> dict[str, bytes]:
    by_name = {} if weights is None or isinstance(weights, bytes) else dict(weights)
    if strange := sorted({*by_name, *architectures} - set(networks)):
        raise RecipeError(f"weights and architectures are named as the networks are ({', '.join(networks)}), found {', '.join(strange)}")
    if isinstance(weights, bytes) and len(networks) > 1:
        raise RecipeError(f"weights: {len(networks)} networks have weights each; give them by name")
    members = {f"networks/{name}.safetensors": data for name, data in by_name.items()}
    members |= {"weights.safetensors": weights} if isinstance(weights, bytes) else {}
    for name, told in architectures.items():
        members[f"networks/{name}.json"] = (json.dumps(dict(told), indent=1, sort_keys=True) + "\n").encode()
    return members


def _settled(recipe: Mapping[str, Any], members: Mapping[str, bytes]) -> dict[str, Any]:
    steps = []
    for use in recipe["steps"]:
        settings = use.get("network") if isinstance(use, Mapping) else None
        if isinstance(settings, Mapping):
            use = {**use, "network": {**settings, **_placed(settings.get("weights"), members)}}
        steps.append(use)
    return {**recipe, "steps": steps}


def _placed(weights: Any, members: Mapping[str, bytes]) -> dict[str, Any]:
    """Where the named networks lie in the bundle, with their hashes."""
    names = [weights] if isinstance(weights, str) else list(weights or ())
    places = [f"networks/{name}.onnx" for name in names]
    if lost := [name for name, place in zip(names, places, strict=True) if place not in members]:
        raise RecipeError(f"the recipe names the network {lost[0]!r}, which is not among those given")
    sums = [sha256(members[place]) for place in places]
    return {"weights": places[0], "sha256": sums[0]} if isinstance(weights, str) else {"weights": places, "sha256": sums}


def _npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def verify(path: str | os.PathLike[str]) -> Verdict:
    """Check every member's hash, then segment the example and compare.

    Raises
    ------
    InputError
        If a member is missing, changed or not in the list, or there is no example.
    """
    bundle = find_bundle(path)
    listed = _listed(bundle.path)
    names = [name for name in member_names(bundle.path) if name != SUMS]
    if strange := sorted(set(names) ^ set(listed)):
        raise InputError(f"{bundle.path}: {', '.join(strange)} {'is' if len(strange) == 1 else 'are'} missing or not in {SUMS}")
    for name in names:
        if sha256(read_member(bundle.path, name)) != listed[name]:
            raise InputError(f"{bundle.path}: {name} has changed since the bundle was made; get the bundle again")
    if "example/image.npy" not in names:
        raise InputError(f"{bundle.path}: has no example to replay")
    tolerance = bundle.facts.get("tolerance", 1.0)
    if not isinstance(tolerance, (int, float)) or not 0 <= tolerance <= 1:
        raise InputError(f"{bundle.path}: card.md: tolerance is a share of the example's pixels, from 0 to 1; found {tolerance!r}")
    return Verdict(_agreement(bundle), float(tolerance), len(names))


def _listed(path: Path) -> dict[str, str]:
    lines = (line.split("  ", 1) for line in _text(path, SUMS).splitlines() if line)
    try:
        return {name: digest for digest, name in lines}
    except ValueError:
        raise InputError(f"{path}: {SUMS} is damaged") from None


def _agreement(bundle: Bundle) -> float:
    """How well the example's mask is met, computed by the engine that every installation has."""
    found = segmented_example(bundle, bundle.recipe)
    return agreement(found, _load(bundle.path, "example/mask.npy"))


def example_of(bundle: Bundle, recipe: Recipe) -> Example | None:
    """The bundle's example image with the mask that another recipe makes of it; None where it has no example."""
    if "example/image.npy" not in member_names(bundle.path):
        return None
    return Example(_example_image(bundle), segmented_example(bundle, recipe))


def segmented_example(bundle: Bundle, recipe: Recipe) -> Mask:
    """What a recipe makes of the bundle's example image."""
    return replayed(_example_image(bundle), recipe)


def replayed(image: Image, recipe: Recipe) -> Mask:
    """What a recipe makes of an image of which the channel was taken already, under the engine that every installation has."""
    from microtome.run.pipeline import segment

    return segment(image, recipe.without_input(), engine="onnxruntime").mask


def _example_image(bundle: Bundle) -> Image:
    image = _load(bundle.path, "example/image.npy")
    axes = bundle.facts.get("example_axes", {2: "yx", 3: "yxc", 4: "zyxc"}.get(image.ndim))
    spacing, unit = (bundle.facts.get(f"example_{name}") for name in ("spacing", "unit"))
    try:
        if spacing is None:
            return Image(image, axes=str(axes))
        return Image(image, axes=str(axes), spacing=tuple(float(one) for one in spacing), unit=str(unit))
    except (InputError, TypeError, ValueError) as error:
        raise InputError(f"{bundle.path}: example/image.npy, shape {image.shape}, is no image of axes {axes}: {error}") from None


def agreement(found: Mask, expected: NDArray[Any]) -> float:
    """The share of pixels whose class, or object up to its number, is the same.

    Parameters
    ----------
    found : SemanticMap or InstanceMap
    expected : ndarray of int, shape (*spatial)

    Returns
    -------
    float
        For objects each expected one is met by the found one that covers most of it; the background counts as one.

    Examples
    --------
    >>> agreement(InstanceMap(np.array([[0, 2, 2, 2]])), np.array([[0, 1, 1, 0]], np.int32))
    0.75
    """
    from microtome.measure.metrics.contingency import contingency

    if isinstance(found, SemanticMap):
        return float(np.mean(found.pixels == expected))
    table = contingency(found.pixels, expected)
    best: dict[int, int] = {}
    for truth, pixels in zip(table.truth.tolist(), table.pixels.tolist(), strict=True):
        best[truth] = max(best.get(truth, 0), pixels)
    return sum(best.values()) / expected.size


def _load(path: Path, name: str) -> Any:
    data = read_member(path, name)
    try:
        return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except (ValueError, MemoryError) as error:  # the latter where its head promises more than the machine has
        raise InputError(f"{path}: {name} is damaged: {error}") from None
