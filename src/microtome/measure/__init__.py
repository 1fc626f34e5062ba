"""Masks to tables and scores. Called, it is `microtome.measure.regions.measure`."""

from microtome.core.callable_module import make_callable

make_callable(__name__, "microtome.measure.regions:measure")
