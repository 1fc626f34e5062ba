"""Recipes and the loop that carries them. Called, it is `microtome.run.pipeline.run`."""

from microtome.core.callable_module import make_callable

make_callable(__name__, "microtome.run.pipeline:run")
