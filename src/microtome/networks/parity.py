"""Whether an exported network answers as the one it was made from: asked once, when a bundle is built."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from microtome.core.errors import RunError
from microtome.networks.network import Network

__all__ = ["TOLERANCE", "check_parity"]

TOLERANCE = 1e-3
"""The greatest difference allowed, as a share of the greatest number in torch's answer (or of 1, where all are smaller)."""


def check_parity(network: Network, onnx_bytes: bytes, *, tolerance: float = TOLERANCE) -> float:
    """Compare a network with its ONNX form under ONNX Runtime: on an empty image, on odd sides, and on a batch.

    Parameters
    ----------
    network : Network
        Not changed; compared in evaluation mode, float32.
    onnx_bytes : bytes
        What `export.to_onnx` gave.
    tolerance : float
        As a share of the greatest absolute number of an output, at least of 1.

    Returns
    -------
    float
        The greatest absolute difference of all.

    Raises
    ------
    RunError
        If an output is missing, has another shape, is not finite or differs by more: naming the output, the input and the difference.

    Notes
    -----
    Normalisation, padding and resampling are where exports go wrong: a constant image shows the first, sides that do not halve the
    second and third (the nearest legal ones where the network refuses others), and several different images a batch taken for fixed.

    Examples
    --------
    >>> from microtome.networks import build
    >>> from microtome.networks.export import to_onnx
    >>> small = build("fcn_same", channels_in=1, outputs={"classes": 2}, layers=1, width=2)
    >>> check_parity(small, to_onnx(small)) < 1e-5
    True
    """
    import onnxruntime

    answering = copy.deepcopy(network).cpu().float().eval()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(onnx_bytes, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    worst = 0.0
    for what, image in _inputs(answering):
        with torch.inference_mode():
            wanted = {name: values.numpy() for name, values in answering(torch.from_numpy(image)).items()}
        if missing := sorted(set(wanted) - set(names)):
            raise RunError(f"the exported network has no output {', '.join(missing)}; it has {', '.join(names)}")
        found = dict(zip(names, _answers(session, image, what), strict=True))
        for name, exact in wanted.items():
            worst = max(worst, _difference(name, what, exact, found[name], tolerance))
    return worst


def _inputs(network: Network) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """The three inputs by name, float32 (N, C, *spatial)."""
    random = np.random.default_rng(0)
    base = network.sizes.at_least(2 * network.sizes.step)
    even = (base,) * network.dimensions
    odd = tuple(base + 3 + 2 * axis if network.pads_inside else base + axis * network.sizes.step for axis in range(network.dimensions))
    yield "an empty image", np.zeros((1, network.channels_in, *even), np.float32)
    yield "odd sides", random.standard_normal((1, network.channels_in, *odd), np.float32)
    yield "a batch of three", random.standard_normal((3, network.channels_in, *even), np.float32)


def _answers(session: Any, image: np.ndarray[Any, Any], what: str) -> list[np.ndarray[Any, Any]]:
    try:
        found: list[np.ndarray[Any, Any]] = session.run(None, {session.get_inputs()[0].name: image})
    except Exception as error:  # noqa: BLE001 - the runtime raises classes of its own that share no other parent
        raise RunError(f"the exported network fails on {what}, shape {image.shape}: {' '.join(str(error).split())[:200]}") from None
    return found


def _difference(name: str, what: str, exact: np.ndarray[Any, Any], found: np.ndarray[Any, Any], tolerance: float) -> float:
    if found.shape != exact.shape:
        raise RunError(f"the exported network answers {name} in shape {found.shape} on {what}, torch in {exact.shape}")
    if not np.isfinite(exact).all():
        raise RunError(f"the network itself answers {name} with NaN or infinity on {what}: its training has failed")
    difference = float(np.abs(found - exact).max(initial=0))
    allowed = tolerance * max(1.0, float(np.abs(exact).max(initial=0)))
    if not difference <= allowed:
        raise RunError(f"the exported network differs from torch by {difference:.3g} in {name} on {what}, at most {allowed:.3g} is allowed")
    return difference
