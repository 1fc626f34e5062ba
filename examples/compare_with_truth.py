"""Compare two recipes with a truth, object by object.

Touching discs are drawn, so the truth is known exactly. One recipe stops at connected pieces, the other splits what touches. F1 at an
overlap of one half says how many discs each found as one; the recipe is judged by that number, not by how its mask looks.

    python examples/compare_with_truth.py
"""

from __future__ import annotations

import numpy as np

import microtome

# Thirty pairs of discs that overlap a little, on noise. The later disc of a pair lies over the earlier one.
random = np.random.default_rng(0)
y, x = np.mgrid[:480, :400]
truth = np.zeros(y.shape, np.int32)
for pair in range(30):
    row, column = 40 + 80 * (pair // 5), 40 + 80 * (pair % 5)
    angle = random.uniform(0, np.pi)
    for side in (-1, 1):
        middle = row + side * 14 * np.sin(angle), column + side * 14 * np.cos(angle)
        truth[np.hypot(y - middle[0], x - middle[1]) < random.uniform(14, 17)] = truth.max() + 1
picture = (60 + 120 * (truth > 0) + random.normal(0, 20, truth.shape)).clip(0, 255).astype(np.uint8)

recipes = {
    "connected pieces": microtome.Recipe.of(("gaussian", {"sigma": 2.0}), "otsu", "connected_components"),
    "touching ones split": microtome.Recipe.of(("gaussian", {"sigma": 2.0}), "otsu", ("split_touching", {"min_distance": 10})),
}
print(f"{'recipe':<20}  objects  F1 at IoU 0.5")
for name, recipe in recipes.items():
    mask = microtome.segment(picture, recipe).mask
    scores = microtome.evaluate(mask, microtome.InstanceMap(truth), task="instance")
    print(f"{name:<20}  {len(mask):>3} of {truth.max()}  {scores['f1_50']:.3f}")
