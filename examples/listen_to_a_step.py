"""See what a step saw: the histogram that Otsu's method decided on, and where its thresholds came to lie.

Steps hand over what they looked at to whoever listens; a report with `--explain` is drawn from the same. Nothing is computed for it when
nobody listens.

    python examples/listen_to_a_step.py [PICTURE.png]
"""

from __future__ import annotations

import sys

import matplotlib.pyplot as plt
from skimage import data

from microtome.core.explain import listen
from microtome.steps import otsu

with listen() as heard:
    otsu(data.camera(), classes=3)

for item in heard:
    print(f"{item.kind}: {item.about}")
histogram = next(item for item in heard if item.kind == "histogram")
print("thresholds:", *histogram.data["thresholds"])

figure, axis = plt.subplots(figsize=(6, 3), layout="constrained")
axis.plot(histogram.data["levels"], histogram.data["counts"], color="0.4")
for threshold in histogram.data["thresholds"]:
    axis.axvline(threshold, color="teal")
axis.set(xlabel="grey level", ylabel="pixels", title=histogram.about)
if len(sys.argv) > 1:
    figure.savefig(sys.argv[1])
else:
    plt.show()
