"""What the shell offers when Tab is pressed."""

from __future__ import annotations

__all__ = ["complete_model", "complete_recipe", "complete_step"]


def complete_recipe(incomplete: str) -> list[str]:
    """Names of shipped recipes."""
    from microtome.run.shipped import recipe_names

    return [name for name in recipe_names() if name.startswith(incomplete)]


def complete_step(incomplete: str) -> list[str]:
    """Names of steps, and of a step's settings behind the colon."""
    from microtome.run.catalogue import load, names

    name, colon, rest = incomplete.partition(":")
    if not colon:
        return [step for step in names() if step.startswith(incomplete)]
    if name not in names():
        return []
    done, _, last = rest.rpartition(",")
    before = f"{name}:{done}," if done else f"{name}:"
    return [f"{before}{setting}=" for setting in load(name).settings if setting.startswith(last)]


def complete_model(incomplete: str) -> list[str]:
    """Shipped models whose name begins so."""
    from microtome.run.shipped import model_names

    return [name for name in model_names() if name.startswith(incomplete)]
