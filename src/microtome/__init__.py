"""Microtome turns images into masks, objects and measurements."""

__version__ = "0.1.0"
