"""What the numbers mean

A score is a sentence cut short. "AP is 0.38" leaves out what was counted, over what it was averaged, what an empty image counts,
and when an object was found. This page says the whole sentences, on pictures small enough to check by hand.
"""

import matplotlib.pyplot as plt
import numpy as np

from microtome.core.events import collect_warnings
from microtome.core.raster import InstanceMap
from microtome.learn.evaluate.compare import compare
from microtome.learn.evaluate.errors import fates
from microtome.learn.evaluate.intervals import intervals
from microtome.measure.metrics.definitions import METRICS, definition
from microtome.measure.metrics.evaluate import evaluate, evaluate_set, score


def show(*pictures, titles, **options):
    """Draw label maps side by side, a colour a label."""
    axes = plt.figure(figsize=(9, 8.4 / len(pictures)), layout="constrained").subplots(1, len(pictures), squeeze=False)
    for axis, picture, title in zip(axes[0], pictures, titles, strict=True):
        axis.imshow(np.ma.masked_equal(picture, 0), **({"cmap": "tab10", "vmin": 1, "vmax": 10, "interpolation": "none"} | options))
        axis.set_title(title)
        axis.set(xticks=[], yticks=[], facecolor="0.92")
    plt.show()


def tell(found, *keys):
    """Print some keys of a result."""
    print("  ".join(f"{key} {found[key]:.4g}" for key in keys))


# %%
# ## Classes: which pixels are right
#
# Every pixel has a true class and a predicted one. Counted in a table, true classes down and predicted ones across, that is the
# *confusion*. All numbers of this section follow from it. The pixel 255 is no class: it is left out. A prediction of it elsewhere
# would be wrong, and nobody's false positive.
truth = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 1], [2, 2, 2, 255]])
pred = np.array([[0, 0, 1, 1], [0, 1, 1, 1], [0, 2, 1, 1], [2, 2, 0, 1]])
found = evaluate(pred, truth, task="semantic", ignore=255, metrics="overlap,agreement")
tell(found, "pa", "mean_acc", "iou_0", "iou_1", "iou_2", "miou_set", "dice_1", "kappa", "mcc")

# %%
# For one class TP are its pixels that were found, FN those that were not, FP the pixels it was given wrongly. `iou_c` is
# TP/(TP+FP+FN), `dice_c` is 2TP/(2TP+FP+FN). They say the same, dice = 2 iou/(1 + iou), but dice is the larger number: never
# compare the one with the other.
#
# ## Over what it is averaged
#
# Three images, one class. In the first half of its pixels were found. In the second there was nothing to find, and one pixel
# was. The third is empty on both sides. What is the IoU of this set?
truths = [np.array([[1, 1, 0, 0]]), np.array([[0, 0, 0, 0]]), np.array([[0, 0, 0, 0]])]
preds = [np.array([[1, 0, 0, 0]]), np.array([[0, 0, 0, 1]]), np.array([[0, 0, 0, 0]])]
pooled = evaluate_set(zip(preds, truths, strict=True), task="semantic", metrics="iou_1")["iou_1"]
each = [evaluate(p, t, task="semantic", metrics="iou_1").get("iou_1") for p, t in zip(preds, truths, strict=True)]
there = [value for value in each if np.isfinite(value)]
print(f"pooled over the set                       {pooled:.4f}")
print(f"mean over images, an empty one counts 1   {(sum(there) + len(each) - len(there)) / len(each):.4f}")
print(f"mean over images, empty ones left out     {sum(there) / len(there):.4f}")
print(f"mean over images, an empty one counts 0   {sum(there) / len(each):.4f}")

# %%
# Four answers, all of them called "mean IoU" by somebody. Here the name says which: `miou_set` is pooled over the set, `miou_image` is
# averaged over images and counts an empty one 1. Where a number does not exist for an image it is left out of the mean, and the
# command says how many were.
#
# ## Objects: which were found
#
# Five true objects, six predicted ones. Two objects are a pair if their IoU reaches a threshold, and pairs are one to one.


def draw(*boxes):
    """Number rectangles: top, bottom, left, right."""
    labels = np.zeros((20, 20), np.int32)
    for number, (top, bottom, left, right) in enumerate(boxes, 1):
        labels[top:bottom, left:right] = number
    return labels


truth = draw((0, 6, 0, 6), (0, 6, 8, 14), (8, 14, 0, 6), (8, 14, 8, 14), (15, 19, 15, 19))
pred = draw((0, 6, 0, 6), (0, 6, 9, 14), (8, 14, 0, 3), (8, 14, 3, 6), (8, 14, 10, 18), (16, 18, 2, 6))
show(truth, pred, titles=["the truth", "the prediction"])
found = evaluate(pred, truth, task="instance", metrics="f1_50,ap_40,ap_50,ap_70,map_50_95,tp_50,fp_50,fn_50,pq,sq,rq,aji,seg")
tell(found, "tp_50", "fp_50", "fn_50", "f1_50", "ap_40", "ap_50", "ap_70", "map_50_95")

# %%
# The first two are found. The third was cut into exact halves: each has IoU ½, one of them is its partner, the other is false. The
# fourth overlaps by .4, the last by nothing. At IoU .5 that is TP 3, FP 3, FN 2, and `ap_50` is 3/8. Ask for *more* than ½, as Kaggle
# did, and the half is lost: 2/9. So "at least" or "more than" belongs to the definition.
#
# `map_50_95` is the mean of ten such numbers, at .50, .55 ... .95. The thresholds are k/20; stepping by 0.05 ends up with
# .6000000000000001, and a pair at exactly .6 falls out.
#
# ## Two numbers called AP
#
# The *average precision* of microscopy papers is TP/(TP+FP+FN) at one threshold: `ap_50`. COCO's, `coco_ap_50`, ranks all
# predictions by their score, walks down the list, and averages precision over recall. The same objects, once with good scores and
# once with the order turned round:
for name, order in (("sure where right", np.arange(6)), ("sure where wrong", np.arange(6)[::-1])):
    scored = InstanceMap(pred, object_score={k + 1: 0.9 - 0.1 * float(order[k]) for k in range(6)})
    print(f"{name}:  ", end="")
    tell(
        evaluate(scored, truth, task="instance", metrics="ap_50,map_50_95,coco_ap_50,coco_ap"),
        "ap_50",
        "coco_ap_50",
        "map_50_95",
        "coco_ap",
    )

# %%
# The ranking alone triples `coco_ap`, and does not touch `map_50_95`. Neither is wrong, and they must not stand in one
# table. `microtome evaluate` gives both, under different names; without scores there is no `coco_ap`, and it says so.
#
# ## Other ways to score objects
#
# `pq` multiplies how many segments were found (`rq`) with how well they were outlined (`sq`), at IoU above ½. `aji` compares areas:
# an added object costs its pixels. `seg` looks at true objects only: what was added costs nothing.
tell(found, "pq", "sq", "rq", "aji", "seg")

# %%
# Two objects merged into one, or one cut in two, are the errors that change a count. One prediction over two
# objects of equal size:
one, two = np.array([[1, 1, 1, 1, 1, 1, 1, 1]]), np.array([[1, 1, 1, 1, 2, 2, 2, 2]])
for name, p, t in (("merged", one, two), ("split", two, one)):
    told = evaluate(p, t, task="instance", metrics="ap_50,aji,aji_plus,voi_split,voi_merge,are,count_error")
    print(f"{name}:  ", end="")
    tell(told, "ap_50", "aji", "aji_plus", "voi_split", "voi_merge", "are", "count_error")

# %%
# `voi_split` and `voi_merge` keep the two apart, in bits. `aji` lets a prediction serve twice, `aji_plus` does not.
#
# The page of `microtome evaluate --out` names the fate of every object. These are words, not scores; they follow from shared
# areas, and the page defines each.
objects = fates(InstanceMap(pred), InstanceMap(truth)).objects
for side, label, fate in zip(objects["side"], objects["label"], objects["fate"], strict=True):
    print(f"{side:5} {label}: {fate}")

# %%
# ## Boundaries: how far off
#
# Overlap forgives a ragged edge on a large object and punishes one pixel on a small one. Distances say how far the two surfaces
# lie apart. A surface is the pixels of a mask that touch, across a face, one that is not in it.
first, second = np.zeros((12, 12), np.uint8), np.zeros((12, 12), np.uint8)
first[2:8, 2:8] = 1
second[3:9, 4:10] = 1
show(first + 2 * second, titles=["two squares, shifted by (1, 2)"])
keys = ("iou_1", "dice_1", "hd_px", "hd95_px", "assd_px", "nsd_1px", "nsd_2px")
tell(evaluate(second, first, task="semantic", metrics=",".join(keys)), *keys)

# %%
# `hd_px` is the worst distance of all, here √5; a single stray pixel sets it. `hd95_px` is the 95th percentile of each
# direction, the greater of the two. `assd_px` is the mean over both surfaces together. `nsd_2px` is the share of both surfaces within 2
# pixels. Where the masks have a spacing, distances are measured with it, and there is `hd95_um` beside `hd95_px`.
#
# Other programs give other numbers under these names, for these very squares: for `hd95` MedPy has 2.0118 as we do, DeepMind's
# surface-distance 2.0; for the mean distance it has 1.3502, since it weights by the length of surface elements. MedPy pools both
# directions before it takes the percentile, which shows as soon as they differ in length.
#
# ## How sure is a number
#
# Twenty images are a sample. The interval says how far the number would move with twenty others: images (or groups of them, such
# as patients, since images of one patient resemble each other) are drawn again and again with replacement, and the number is
# taken anew each time. What is pooled over the set is pooled over what was drawn.
random = np.random.default_rng(0)
truths = [np.arange(200).reshape(1, -1) < random.integers(20, 180) for _ in range(20)]
good, better = ([np.roll(t, by).astype(int) for t in truths] for by in (6, 5))
scores = [
    [score(p, t.astype(int), task="semantic", metrics="iou_1") for p, t in zip(preds, truths, strict=True)] for preds in (good, better)
]
images = [str(k) for k in range(20)]
for name, own in zip(("one", "other"), scores, strict=True):
    value, low, high = intervals(own, images)["iou_1"]
    print(f"{name:5} iou_1 {value:.3f} [{low:.3f}, {high:.3f}]")
value, low, high = compare(scores[1], scores[0], images)["iou_1"].difference
print(f"other - one  {value:+.4f} [{low:+.4f}, {high:+.4f}]")

# %%
# The two intervals overlap, and yet the second result is better on every image. Two results on the same images must be
# compared image by image: the interval of the *difference* does not hold 0.
#
# ## Where other programs differ
#
# The same name, another number. What this list says stands with each key in the
# [reference](../reference/metrics.md), with its definition.
for key, metric in METRICS.items():
    if metric.peers:
        print(f"{key}: {metric.peers}")

# %%
# And the sentence behind any key:
with collect_warnings():
    print(definition("ap_75"))
