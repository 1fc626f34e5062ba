"""Targets that tell objects apart."""
