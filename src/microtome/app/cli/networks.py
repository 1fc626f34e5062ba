"""``microtome networks``: what there is, and what one network costs, takes, gives and sees."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

__all__ = ["networks"]


def complete_network(incomplete: str) -> list[str]:
    """Names of networks."""
    from microtome.networks.catalogue import names

    return [name for name in names() if name.startswith(incomplete)]


def networks(
    name: Annotated[str | None, typer.Argument(help="Describe this network.", autocompletion=complete_network)] = None,
    size: Annotated[int | None, typer.Option("--size", help="Side of the image, in pixels.", min=1)] = None,
    channels: Annotated[int, typer.Option("--channels", help="Channels of the image.", min=1)] = 1,
    classes: Annotated[int, typer.Option("--classes", help="Channels of the output.", min=1)] = 2,
    settings: Annotated[list[str] | None, typer.Option("--set", help="A setting, such as depth=4; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the networks, or describe one: parameters, legal sizes, output size, stride, receptive field, settings."""
    from microtome.networks import catalogue

    if name is None:
        listed = {network: catalogue.summary_line(network) for network in catalogue.names()}
        width = max(map(len, listed))
        print(json.dumps(listed, ensure_ascii=False) if as_json else "\n".join(f"{n:<{width}}  {line}" for n, line in listed.items()))
        return
    told = _describe(name, size, channels, {"classes": classes}, _parse(settings or []))
    print(json.dumps(told, ensure_ascii=False) if as_json else _page(told))


def _parse(settings: list[str]) -> dict[str, Any]:
    from microtome.core.errors import RecipeError
    from microtome.run import yaml_text

    parsed = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise RecipeError(f"--set {text}: is not key=value; write for example --set depth=4")
        parsed[key.strip()] = yaml_text.load(value, f"--set {text}")
    return parsed


def _describe(name: str, size: int | None, channels: int, outputs: dict[str, int], settings: dict[str, Any]) -> dict[str, Any]:
    from microtome.networks import catalogue

    network = catalogue.build(name, channels_in=channels, outputs=outputs, **settings)
    known = catalogue.settings_of(catalogue.load(name))
    field = network.receptive_field()
    return {
        "name": name,
        "about": catalogue.summary_line(name),
        "channels_in": channels,
        "outputs": outputs,
        "parameters": network.expected_parameters(),
        "legal_sizes": {"least": network.sizes.least, "step": network.sizes.step, "others_padded_inside": network.pads_inside},
        "margin": network.margin,
        "stride": network.stride,
        "receptive_field": None if field is None else {"least": field[0], "greatest": field[1]},
        "dimensions": network.dimensions,
        "sizes": [_at(network, side) for side in _sides(network, size)],
        "settings": {key: _setting(setting, settings.get(key, setting.default)) for key, setting in known.items()},
    }


def _sides(network: Any, size: int | None) -> tuple[int, ...]:
    """The side asked for, or, where it is not taken, its nearest legal ones."""
    if size is None:
        return ()
    return (size,) if network.pads_inside else network.legal_sizes(size)


def _at(network: Any, side: int) -> dict[str, int]:
    from microtome.networks.multiply_adds import multiply_adds

    size = (side,) * network.dimensions
    return {"input": side, "output": (network.output_size(size) or (1,))[0], "multiply_adds": multiply_adds(network, size)}


def _setting(setting: Any, value: Any) -> dict[str, Any]:
    return {"kind": setting.kind, "range": str(setting.bounds or ""), "value": value, "default": setting.default, "about": setting.about}


def _page(told: dict[str, Any]) -> str:
    sizes, field, times = told["legal_sizes"], told["receptive_field"], " x ".join
    legal = f"multiples of {sizes['step']}" if sizes["least"] == sizes["step"] else f"{sizes['least']} + {sizes['step']} i"
    seen = "not derived" if field is None else f"{field['least']} to {field['greatest']} pixels"
    lines = [
        f"{told['name']}: {told['about']}",
        "",
        f"parameters       {told['parameters']:,} ({told['channels_in']} channel(s) in, {told['outputs']['classes']} classes)",
        f"legal sizes      {legal}" + ("; others are padded inside" if sizes["others_padded_inside"] else ""),
        f"stride           {told['stride']}",
        f"receptive field  {seen}",
    ]
    for at in told["sizes"]:
        given, got = (times([str(at[key])] * told["dimensions"]) for key in ("input", "output"))
        lines.append(f"{given} gives {got}, {at['multiply_adds'] / 1e9:,.1f} G multiply-adds an image")
    lines.append("")
    for name, setting in told["settings"].items():
        bounds = f", {setting['range']}" if setting["range"] else ""
        default = "" if setting["value"] == setting["default"] else f" (default {setting['default']})"
        lines.append(f"  {name} = {setting['value']}{default}: {setting['kind']}{bounds}")
        lines += [f"      {setting['about']}"] * bool(setting["about"])
    return "\n".join(lines)
