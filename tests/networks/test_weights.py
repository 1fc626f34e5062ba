"""Weights in memory: damaged, foreign and partly fitting ones."""

from __future__ import annotations

import pytest
import torch

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.networks import build
from microtome.networks.weights import dump_weights, load_weights


def network(classes=2, channels_in=1, seed=0, **settings):
    return build("unet", channels_in=channels_in, outputs={"classes": classes}, seed=seed, depth=2, root=4, **settings)


def test_damaged_bytes_are_an_error_that_names_the_file():
    weights = dump_weights(network())
    for broken in (b"", b"no weights at all", weights[:-10], b"\xff" * 64):
        with pytest.raises(InputError, match=r"model\.safetensors: is not a safetensors file, or is damaged"):
            load_weights(network(), broken, source="model.safetensors")


def test_other_settings_are_an_error_and_nothing_is_changed():
    target = network(classes=3, seed=1)
    before = dump_weights(target)
    with pytest.raises(InputError, match=r"heads\.of\.classes\.weight is \(2, 4, 1, 1\), the network has \(3, 4, 1, 1\)"):
        load_weights(target, dump_weights(network()))
    with pytest.raises(InputError, match="is missing"):
        load_weights(network(norm="batch"), dump_weights(network(norm="none")))
    assert dump_weights(target) == before


def test_what_fits_is_taken_on_request_and_the_rest_is_told():
    source, target = network(), network(classes=3, seed=1)
    with collect_warnings() as told:
        left = load_weights(target, dump_weights(source), source="nuclei", partial=True)
    assert left == ("heads.of.classes.weight", "heads.of.classes.bias")
    assert len(told) == 1
    assert told[0].startswith("nuclei: ")
    assert torch.equal(target.contracting[0][0][0].weight, source.contracting[0][0][0].weight)


def test_weights_that_fit_nowhere_are_an_error_even_so():
    with pytest.raises(InputError, match="does not fit"):
        load_weights(network(), {"other": torch.zeros(3)}, partial=True)


def test_the_layout_in_memory_does_not_change_the_bytes():
    plain = network()
    before = dump_weights(plain)
    assert dump_weights(plain.to(memory_format=torch.channels_last)) == before
