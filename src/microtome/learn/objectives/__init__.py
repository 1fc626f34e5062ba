"""Objectives: a network, what it is taught, its losses and who moves which weights, joined to something the loop can train."""
