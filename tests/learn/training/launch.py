"""The command line in processes of its own: labelled images as files, a training under way, and signals to it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time

import numpy as np
import tifffile
from tests.learn.training.tiny import recipe, samples

from microtome.run import yaml_text

ALONE = {"OMP_NUM_THREADS": "1", "PYTHONFAULTHANDLER": "1"}


def data_folder(folder, count=8):
    """Discs as `images/` and `masks/`."""
    for one in samples(count):
        for part, pixels in (("images", one.image.pixels), ("masks", one.truth.pixels.astype(np.uint16))):
            (folder / part).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(folder / part / f"{one.name.replace(' ', '_')}.tif", pixels)
    return folder


def recipe_file(path, **changes):
    path.write_text(yaml_text.dump(recipe(**changes)), encoding="utf-8")
    return path


def arguments(data, out, *more):
    return ["train", str(data), "--out", str(out), "--task", "instance", *map(str, more)]


def started(*arguments, launcher=(), script=None, **environment):
    """A training in a process of its own, or in those of a launcher; `script` runs the command line instead of the module."""
    command = [*(launcher or [sys.executable]), *([script] if script else ["-m", "microtome.app.cli.main"])]
    return subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                            env={**os.environ, **ALONE, **environment})  # fmt: skip


def torchrun(count):
    """Processes that find each other on this machine alone, at a port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(count), "--master-addr", "127.0.0.1", "--master-port",
            str(port)]  # fmt: skip


def lines(out):
    """What metrics.jsonl has so far, whole lines only."""
    path = out / "metrics.jsonl"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1] if line]


def of_rank(launcher, rank):
    """The id of the process of this rank among those that `torchrun` started."""
    import psutil

    for child in psutil.Process(launcher.pid).children():
        if child.environ().get("RANK") == str(rank):
            return child.pid
    raise AssertionError(f"no process of rank {rank}")


def wait_for(process, out, step, seconds=120):
    """Until the run has told of this step."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if any(line["event"] == "step" and line["step"] >= step for line in lines(out)):
            return
        if process.poll() is not None:
            raise AssertionError(f"ended with {process.returncode}: {process.communicate()[1]}")
        time.sleep(0.05)
    process.kill()
    raise AssertionError(f"no step {step} in {seconds} s: {process.communicate()[1]}")
