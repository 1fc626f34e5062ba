"""Held-out pictures made worse in ways that other microscopes make them worse: models beside the classical recipe. See README.md."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from score import METRIC, data_of  # the file beside this one

from microtome.core.events import collect_warnings
from microtome.core.raster import Image
from microtome.learn.data.load import samples
from microtome.measure.metrics.evaluate import evaluate
from microtome.run.bundle import find_bundle
from microtome.run.pipeline import segment
from microtome.run.shipped import find_recipe

Floats = NDArray[np.float32]


def main() -> None:
    """Print a line a kind of damage, and write ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", metavar="NAME=MODEL", help="a name for the table, and a bundle or a shipped model")
    parser.add_argument("--only", type=Path, required=True, help="a run's split.csv: the images it held out")
    parser.add_argument("--every", type=int, default=1, help="every so many-th of these images")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    recipes = {"recipe nuclei": find_recipe("nuclei")}
    for text in options.models:
        name, _, place = text.partition("=")
        recipes[name] = find_bundle(place).recipe
    with collect_warnings():
        held = list(samples(data_of("fluorescence", "train", options.only)))[:: options.every]
        rows = {}
        for kind, damage in DAMAGES.items():
            scores: dict[str, list[float]] = {name: [] for name in recipes}
            for number, sample in enumerate(held):
                rng = np.random.default_rng(number)
                image = Image(_stored(damage(_unit(sample.image.pixels), rng)))
                for name, recipe in recipes.items():
                    found = evaluate(segment(image, recipe).mask, sample.truth, task="instance", metrics=[METRIC])
                    scores[name].append(found[METRIC])
            rows[kind] = {name: round(float(np.mean(values)), 4) for name, values in scores.items()}
            print(f"{kind:<24}", "  ".join(f"{name} {value:.3f}" for name, value in rows[kind].items()), flush=True)
    if options.out:
        options.out.write_text(json.dumps({"metric": METRIC, "images": len(held), "rows": rows}, indent=1) + "\n")


def _unit(pixels: NDArray[np.uint8]) -> Floats:
    """Zero at the darkest pixel and one near the brightest."""
    values = np.squeeze(pixels).astype(np.float32)
    values -= values.min()
    return np.asarray(values / max(1e-6, float(np.percentile(values, 99.8))), np.float32)


def _stored(values: Floats) -> NDArray[np.uint16]:
    """As a camera of 16 bits stores it: an offset, and nowhere near the end of the range."""
    return np.clip(np.rint(values * 4000 + 300), 0, 65535).astype(np.uint16)


def _smooth(shape: tuple[int, ...], sigma: float, rng: np.random.Generator) -> Floats:
    """A random field of deviation one."""
    field = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), sigma)
    return np.asarray(field / field.std(), np.float32)


def _noise(sigma: float) -> Callable[[Floats, np.random.Generator], Floats]:
    return lambda image, rng: image + rng.normal(0, sigma, image.shape).astype(np.float32)


def _photons(most: float) -> Callable[[Floats, np.random.Generator], Floats]:
    return lambda image, rng: (rng.poisson((image.clip(0, 2) + 0.05) * most) / most).astype(np.float32)


def _blur(sigma: float) -> Callable[[Floats, np.random.Generator], Floats]:
    return lambda image, rng: np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


def _gamma(exponent: float) -> Callable[[Floats, np.random.Generator], Floats]:
    return lambda image, rng: image.clip(0, None) ** np.float32(exponent)


def _tilt(image: Floats, rng: np.random.Generator) -> Floats:
    """A lamp that shines from one corner, and stray light from another side."""
    y, x = np.mgrid[0 : 1 : image.shape[0] * 1j, 0 : 1 : image.shape[1] * 1j]
    return (image * (0.4 + 0.9 * x) + 0.5 * y).astype(np.float32)


def _haze(image: Floats, rng: np.random.Generator) -> Floats:
    return image + np.asarray(cv2.GaussianBlur(image, (0, 0), 20), np.float32)


def _hot_pixels(image: Floats, rng: np.random.Generator) -> Floats:
    return np.where(rng.random(image.shape) < 2e-4, np.float32(8), image)


def _mottled(image: Floats, rng: np.random.Generator) -> Floats:
    return image * (1 + 0.35 * _smooth(image.shape, 2, rng))


def _patches(image: Floats, rng: np.random.Generator) -> Floats:
    return image + 0.12 * np.abs(_smooth(image.shape, 12, rng))


DAMAGES: dict[str, Callable[[Floats, np.random.Generator], Floats]] = {
    "none": lambda image, rng: image,
    "noise, sigma 0.05": _noise(0.05),
    "noise, sigma 0.1": _noise(0.1),
    "noise, sigma 0.2": _noise(0.2),
    "30 photons": _photons(30),
    "8 photons": _photons(8),
    "blur, sigma 1.5": _blur(1.5),
    "blur, sigma 3": _blur(3),
    "gamma 0.5": _gamma(0.5),
    "gamma 2": _gamma(2),
    "tilted light": _tilt,
    "haze": _haze,
    "hot pixels": _hot_pixels,
    "mottled stain": _mottled,
    "patches in the ground": _patches,
}


if __name__ == "__main__":
    main()
