"""Whole images: the loss by hand, batches in an order that follows from the seed, folders as classes, and real pictures learned."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from microtome.core.errors import InputError, RecipeError  # noqa: E402
from microtome.core.raster import Image  # noqa: E402
from microtome.io.images import write  # noqa: E402
from microtome.learn.objectives.classify import Classify  # noqa: E402
from microtome.learn.training.accuracy import Accuracy  # noqa: E402
from microtome.learn.training.crew import Crew  # noqa: E402
from microtome.learn.training.events import Saved, Stepped, Validated  # noqa: E402
from microtome.learn.training.loop import Fitting, Loop  # noqa: E402
from microtome.learn.training.precision import choose  # noqa: E402
from microtome.learn.training.whole_images import WholeImages, read_class_folders  # noqa: E402
from microtome.losses.weighted_sum import weighted_sum  # noqa: E402
from microtome.networks import build  # noqa: E402


class Says(torch.nn.Module):
    """Always the same logits."""

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.nn.Parameter(torch.tensor(logits))

    def forward(self, images):
        return {"kind": self.logits.expand(len(images), -1)}


def test_the_loss_is_the_mean_surprise_over_the_images_that_teach():
    objective = Classify(Says([0.0, math.log(3)]), "kind", ignore=9)
    found = objective.loss({"image": torch.zeros(4, 1, 2, 2), "kind": torch.tensor([0, 1, 1, 9])})
    assert found.total.item() == pytest.approx((math.log(4) + 2 * math.log(4 / 3)) / 3)  # p = 1/4, 3/4
    found.total.backward()
    smoothed = Classify(Says([0.0, 0.0]), "kind", weighted_sum([["cross_entropy", 2.0]]))
    assert smoothed.loss({"image": torch.zeros(1, 1, 2, 2), "kind": torch.tensor([0])}).total.item() == pytest.approx(2 * math.log(2))


def test_probabilities_sum_to_one():
    objective = Classify(Says([0.0, math.log(3)]), "kind")
    np.testing.assert_allclose(objective.probabilities(objective.network, torch.zeros(2, 1, 2, 2)), [[0.25, 0.75]] * 2, rtol=1e-6)


def numbered(count=10, batch=4, **options):
    return WholeImages(np.arange(count, dtype=np.float32)[:, None, None], {"kind": np.arange(count)}, batch=batch, **options)


def test_every_image_once_an_epoch_and_the_same_order_from_any_step_on():
    batches = numbered(count=8)
    stream = batches.after(0)
    drawn = [next(stream) for _ in range(4)]
    for epoch in (drawn[:2], drawn[2:]):
        assert sorted(int(kind) for batch in epoch for kind in batch.tensors["kind"]) == list(range(8))
    assert drawn[0].names != drawn[2].names
    later = batches.after(3)
    assert next(later).names == drawn[3].names
    assert all(batch.tensors["image"].ravel().tolist() == batch.tensors["kind"].tolist() for batch in drawn)


def test_processes_share_a_batch():
    whole = next(numbered().after(1)).names
    parts = [next(numbered(share=(rank, 2)).after(1)).names for rank in (0, 1)]
    assert parts[0] + parts[1] == whole
    with pytest.raises(RecipeError, match="expected a multiple of 3"):
        numbered(share=(0, 3))


def test_too_few_and_unequal_are_refused():
    with pytest.raises(InputError, match="3 images do not fill one batch of 4"):
        numbered(count=3)
    with pytest.raises(InputError, match="not equally many"):
        WholeImages(np.zeros((4, 2, 2), np.float32), {"kind": np.zeros(5, int)}, batch=2)


def test_accuracy_counts_every_held_out_image_and_weighs_classes():
    held = WholeImages(np.zeros((5, 2, 2), np.float32), {"kind": np.array([1, 1, 1, 0, 1])}, batch=2, names=list("abcde"))
    network = Says([0.0, 1.0])
    found = Accuracy(Classify(network, "kind"), held)(network, 7)
    assert (found.step, found.score, found.scores["balanced_accuracy"]) == (7, 0.8, 0.5)
    assert found.images == {"a": 1, "b": 1, "c": 1, "d": 0, "e": 1}
    assert found.loss == pytest.approx((4 * math.log(1 + math.exp(-1)) + math.log(1 + math.e)) / 5)


def test_ignored_images_are_neither_right_nor_wrong():
    held = WholeImages(np.zeros((3, 2, 2), np.float32), {"kind": np.array([1, 1, 9])}, batch=2, names=list("abc"))
    found = Accuracy(Classify(Says([0.0, 1.0]), "kind", ignore=9), held)(Says([0.0, 1.0]), 1)
    assert found.scores == {"accuracy": 1.0, "balanced_accuracy": 1.0}
    assert found.images == {"a": 1, "b": 1}
    assert found.loss == pytest.approx(math.log(1 + math.exp(-1)))
    none = WholeImages(np.zeros((2, 2, 2), np.float32), {"kind": np.array([1, 1])}, batch=2, names=list("ab"))
    with pytest.raises(InputError, match="none of the held-out images has a class that counts"):
        Accuracy(Classify(Says([0.0, 1.0]), "kind", ignore=1), none)(Says([0.0, 1.0]), 1)


def folders(root, **classes):
    for name, values in classes.items():
        for number, value in enumerate(values):
            write(Image(np.full((4, 5), value, np.uint8)), root / name / f"{number}.png")
    return root


def test_folders_are_classes(tmp_path):
    images, kinds, classes, names = read_class_folders(folders(tmp_path, b=[3], a=[1, 2]))
    assert (classes, names, kinds.tolist()) == (("a", "b"), ("a/0.png", "a/1.png", "b/0.png"), [0, 0, 1])
    assert images.shape == (3, 4, 5)
    assert images[:, 0, 0].tolist() == [1, 2, 3]


def test_one_class_or_another_size_is_refused(tmp_path):
    with pytest.raises(InputError, match="found 1 folders with images"):
        read_class_folders(folders(tmp_path, only=[1]))
    write(Image(np.zeros((4, 6), np.uint8)), tmp_path / "other" / "wide.png")
    with pytest.raises(InputError, match=r"wide\.png: is \(4, 6\) uint8, .*0\.png is \(4, 5\) uint8"):
        read_class_folders(tmp_path)


def test_pictures_of_clothes_are_told_apart_by_the_loop_that_all_training_goes_through(labelled_sets, tmp_path):
    path = labelled_sets / "fashion_mnist" / "fashion_mnist_900.npz"
    if not path.exists():
        pytest.skip("no fashion_mnist")
    data = np.load(path)
    learned, held = (
        WholeImages(data[f"x_{part}"].astype(np.float32) / 255, {"kind": data[f"y_{part}"]}, batch=20) for part in ("train", "val")
    )
    network = build("encoder_classifier", channels_in=1, outputs={"kind": 10}, depth=3, root=8)
    objective = Classify(network, "kind")
    fitting = Fitting(steps=300, every=150, optimiser={"adamw": {"rate": 0.005}}, schedule={"cosine": {}}, average=0.98)
    crew = Crew("cpu")
    loop = Loop(objective, network, fitting, choose("cpu", "float32"), crew, tmp_path)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    events = list(loop.run(learned, Accuracy(objective, held)))
    torch.set_num_threads(before)
    validated = [event for event in events if isinstance(event, Validated)]
    assert validated[-1].score >= 0.7  # a guess is right one time in ten
    assert [event for event in events if isinstance(event, Stepped)][-1].loss < 0.6
    assert isinstance(events[-1], Saved)
    again = Accuracy(objective, held)(loop.best(), 0)
    assert again.score == max(event.score for event in validated)


@pytest.mark.slow
def test_the_example_learns_from_folders(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(40):
        kind = number % 2
        stripes = np.where(np.arange(12) % 4 < 2, 200, 50)
        pixels = np.broadcast_to(stripes if kind else stripes[:, None], (12, 12)) + rng.integers(-40, 41, (12, 12))
        write(Image(pixels.astype(np.uint8)), tmp_path / "data" / ("upright" if kind else "lying") / f"{number:02d}.png")
    example = Path(__file__).parents[3] / "examples" / "classify_images.py"
    done = subprocess.run([sys.executable, str(example), str(tmp_path / "data"), str(tmp_path / "run")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "step 400: 100% of 8 held-out images are right (2 classes)"
