"""A trained-shape network on the processor: PyTorch as it comes against ONNX Runtime, PyTorch in bfloat16, and OpenVINO.

Windows of 512 x 512, one at a time; networks of weights at random, exported as a bundle holds them. Each side is a process of its own;
they take turns. Beside the time that passed stands the processor's, all threads together: where other programs share the cores, it is
the one to trust. OpenVINO (the extra ``fast``) is left out, and named, where it is not installed.

    python benchmarks/bench_network_inference.py [--size 512] [--rounds 5] [--threads 2]

``by hand`` is an engine called with nothing around it, compiled for the window's shape; ``whole step`` is the `network` step of a recipe on
an image of that size: cut into windows, computed, made probabilities, put together.

A ratio above 1 means that the side took less time than PyTorch as it comes.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from in_turn import in_turn
from record import record, versions

from microtome.core.kernels.bands import set_threads
from microtome.learn.training.precision import autocast, choose, prepared
from microtome.networks import build
from microtome.networks.export import to_onnx

NETWORKS = {
    "U-Net, width 16": ("unet", 1, {"root": 16}),
    "U-Net, width 64": ("unet", 1, {"root": 64}),
    "U-Net on ResNet34": ("smp", 3, {"architecture": "unet", "encoder": "resnet34"}),
}


def model_of(network: str) -> Any:
    """The network, in evaluation mode."""
    name, channels, settings = NETWORKS[network]
    return build(name, channels_in=channels, outputs={"interior_border": 3}, **settings).eval()


def window_of(network: str, size: int) -> np.ndarray:
    """Noise (1, size, size, C)."""
    return np.random.default_rng(0).random((1, size, size, NETWORKS[network][1]), dtype=np.float32)


def by_torch(network: str, size: int, threads: int, kind: str) -> Callable[[], Any]:
    """PyTorch: ``"plain"``, or prepared, in float32 or bfloat16."""
    torch.set_num_threads(threads)
    model, window = model_of(network), torch.from_numpy(window_of(network, size)).movedim(-1, 1)
    precision = choose("cpu", "float32" if kind == "plain" else kind)
    if kind == "plain":
        window = window.contiguous()
    else:
        prepared(model, precision)

    @torch.inference_mode()
    def call() -> Any:
        with autocast(precision):
            return model(window)["interior_border"].float().numpy()

    return call


def by_engine(data: bytes, network: str, size: int, threads: int, engine: str, precision: str) -> Callable[[], Any]:
    """An engine of `run/engines`, as the `network` step calls it."""
    from importlib import import_module

    set_threads(threads)
    run = import_module(f"microtome.run.engines.{engine}").open_network(data, network, precision)
    window = window_of(network, size)
    return lambda: run(window)


def by_hand(data: bytes, network: str, size: int, threads: int, engine: str, precision: str) -> Callable[[], Any]:
    """The engine with nothing of ours around it."""
    window = np.ascontiguousarray(np.moveaxis(window_of(network, size), -1, 1))
    if engine == "onnxruntime":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        (taken,) = session.get_inputs()
        return lambda: session.run(None, {taken.name: window})
    import openvino

    core = openvino.Core()
    model = core.read_model(io.BytesIO(data))
    model.reshape(list(window.shape))
    hint = {"float32": "f32", "bfloat16": "bf16"}[precision]
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": threads})
    return lambda: compiled(window)[0]


def by_step(data: bytes, network: str, size: int, threads: int, engine: str, precision: str) -> Callable[[], Any]:
    """The step of a recipe, from image to probabilities."""
    from microtome.core.raster import Image
    from microtome.run.steps.network import network as step

    set_threads(threads)
    file = Path(tempfile.mkdtemp()) / "network.onnx"
    file.write_bytes(data)
    pixels = window_of(network, size)[0]
    image = Image(pixels, axes="yxc") if pixels.shape[-1] > 1 else Image(pixels[..., 0])
    return lambda: step(image, weights=str(file), window=size, engine=engine, precision=precision)


def main() -> None:
    """Compare, print the table, keep the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    told = parser.parse_args()
    bf16 = choose("cpu").name == "bf16"
    engines = ["onnxruntime", *(["openvino"] if find_spec("openvino") else [])]
    print("" if len(engines) == 2 else "not installed, so not compared: openvino")
    print(f"{'':20} {'':32} {'ms':>7} {'ratio':>6} {'processor ms':>13} {'ratio':>6}")
    rows = []
    for network in NETWORKS:
        data, common = to_onnx(model_of(network)), (network, told.size, told.threads)
        sides: dict[str, Any] = {"PyTorch": (by_torch, (*common, "plain")), "PyTorch channels-last": (by_torch, (*common, "float32"))}
        if bf16:
            sides["PyTorch bfloat16"] = (by_torch, (*common, "bf16"))
        kinds = [(engine, "float32") for engine in engines] + [("openvino", "bfloat16")] * (bf16 and "openvino" in engines)
        for engine, precision in kinds:
            for how, side in (("", by_engine), (", by hand", by_hand), (", whole step", by_step)):
                sides[f"{engine} {precision}{how}"] = (side, (data, *common, engine, precision))
        took = in_turn(sides, told.rounds)
        base = took["PyTorch"]
        for side, found in took.items():
            ratios = {kind: base[kind] / found[kind] for kind in found}
            passed, used = found["seconds"] * 1e3, found["processor_seconds"] * 1e3
            print(
                f"{network:20} {side:32} {passed:7.0f} {ratios['seconds']:5.2f}x {used:13.0f} {ratios['processor_seconds']:5.2f}x",
                flush=True,
            )
            rows.append({"network": network, "side": side, **found, "ratio": ratios["seconds"],
                         "processor_ratio": ratios["processor_seconds"]})  # fmt: skip
    peers = {name: version(name) for name in ("torch", *engines)}
    record("network_inference", {"size": told.size, "rounds": told.rounds, "threads": told.threads,
                                 "versions": {**versions(), **peers}, "rows": rows})  # fmt: skip


if __name__ == "__main__":
    main()
