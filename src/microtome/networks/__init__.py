"""Networks: built from plain data by `build`, listed by folder, imported when they are named. They need the extra `deep`."""

from microtome.networks.catalogue import build, load, names, settings_of

__all__ = ["build", "load", "names", "settings_of"]
