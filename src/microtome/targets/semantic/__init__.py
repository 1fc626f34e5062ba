"""Targets that give each pixel a class."""
