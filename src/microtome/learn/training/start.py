"""A model to train further: its network with its weights, and how images were brought before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from microtome.core.errors import InputError
from microtome.learn.training.recipe import TrainingRecipe
from microtome.run.bundle import Bundle, find_bundle
from microtome.run.bundle_file import WEIGHTS, member_names, read_beside

if TYPE_CHECKING:
    from microtome.learn.training.look import Look
    from microtome.networks.network import Network

__all__ = ["Start"]

_WEIGHTS = "weights.safetensors"
_RATE = 3e-4  # lower than from scratch: what is known shall not be lost in the first steps


@dataclass(frozen=True, eq=False)
class Start:
    """A bundle that can be trained further."""

    bundle: Bundle

    @classmethod
    def of(cls, name: str | Path) -> Start:
        """A shipped model by its name, or a bundle by its path.

        Raises
        ------
        RecipeError
            If there is none.
        InputError
            If it does not say what its network was built with, or has no weights besides it.
        """
        bundle = find_bundle(name)
        networks = [one for one in member_names(bundle.path) if one.endswith(".onnx")]
        if len(networks) > 1:
            raise InputError(f"{bundle.path}: is an ensemble of {len(networks)} networks, and training goes on from one: name the model of "
                             "one of its runs, such as fold-1/model.zip")  # fmt: skip
        if not isinstance(bundle.facts.get("network"), Mapping) or _WEIGHTS not in member_names(bundle.path):
            raise InputError(
                f"{bundle.path}: can be run, but not trained further: it has no {_WEIGHTS}, or its card does not name its network"
            )
        return cls(bundle)

    def channelled(self, recipe: TrainingRecipe) -> TrainingRecipe:
        """The recipe with the model's channel, where it names none itself."""
        return recipe if recipe.channel is not None else recipe.model_copy(update={"channel": self.bundle.recipe.input.channel})

    def settle(self, recipe: TrainingRecipe, look: Look) -> TrainingRecipe:
        """The recipe with what the model settles filled in: network, target, preparing, and the scale at which it knows objects."""
        facts = self.bundle.facts
        steps = self.bundle.recipe.steps
        place = next(number for number, use in enumerate(steps) if use.step == "network")
        before: list[Any] = [use.document() for use in steps[:place]]
        known: dict[str, Any] = {
            "network": dict(facts["network"]), "target": facts.get("target"), "prepare": before,
            "scale": self._scale(steps[place].settings.get("scale", 1.0), look),
            "optimiser": {"adamw": {"rate": _RATE, "weight_decay": 0.01}},
        }  # fmt: skip
        given = recipe.model_dump(exclude_none=True)
        return TrainingRecipe.model_validate({**{key: value for key, value in known.items() if value is not None}, **given})

    def reasons(self, said: TrainingRecipe) -> dict[str, str]:
        """Why what the model settled is as it is, by the recipe's fields; none for what the user said."""
        why = {
            "network": "as the model has it", "target": "as the model has it", "prepare": "as the model has it",
            "scale": "objects come as large as the model knows them",
            "optimiser": "Adam with decoupled decay; a small rate, since the model has learned much already",
        }  # fmt: skip
        return {place: reason for place, reason in why.items() if getattr(said, place) is None}

    def fill(self, network: Network) -> None:
        """Give a network the model's weights, as far as they fit; what does not is told."""
        from microtome.networks.weights import load_weights

        place = next(str(use.settings["weights"]) for use in self.bundle.recipe.steps if use.step == "network")
        load_weights(network, read_beside(place, WEIGHTS), source=str(self.bundle.path), partial=True)

    def _scale(self, own: Any, look: Look) -> float | list[float]:
        """So that objects are as large before the network as those it was trained on."""
        diameter = self.bundle.facts.get("diameter")
        by = float(diameter) / look.diameter(50) if diameter and len(look.diameters) else None
        scales = [float(one) if by is None else round(float(one) * by, 3) for one in (own if isinstance(own, list | tuple) else [own])]
        return scales if isinstance(own, list | tuple) else scales[0]
