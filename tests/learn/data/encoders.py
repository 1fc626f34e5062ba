"""What a user's module gives a loader: functions that worker processes import."""

import os
import signal

import numpy as np

from microtome.core.events import warn


def mean_of(example):
    """Something of each window."""
    return {"mean": np.array([example.image.mean()], np.float32), "labels": example.objects.copy()}


def deadly(example):
    """Die of one image, as the system does when memory runs out."""
    if example.name.endswith("p2_5"):
        os.kill(os.getpid(), signal.SIGKILL)
    return {}


def dies_once(example, *, died):
    """Die the first time this image comes, and note it in a file."""
    if example.name.endswith("p2_5") and not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {}


def faulty(example):
    """A mistake in the user's own code."""
    if example.name.endswith("p2_5"):
        raise KeyError("no such distance")
    return {}


def words(example):
    """Numbers, and what is none."""
    return {"mean": np.array([example.image.mean()]), "word": np.array(example.name)}


def noted(sample, *, log):
    """Note in a file that an image was prepared."""
    with log.open("a") as file:
        file.write(sample.name + "\n")
    return sample


class Halved:
    """Every second pixel of image and labels: a callable object, as a recipe's preparation is."""

    def __init__(self, step):
        self.step = step

    def __call__(self, sample):
        every = (slice(None, None, self.step),) * sample.image.ndim
        image, truth = (one.with_pixels(one.pixels[every]) for one in (sample.image, sample.truth))
        return type(sample)(image, truth, sample.group, sample.name)


def brighter(sample):
    """Prepare a sample, and say so."""
    warn("values were doubled")
    return type(sample)(sample.image.with_pixels(sample.image.pixels.astype(np.float32) * 2), sample.truth, sample.group, sample.name)
