"""Steps that move pixels: each gives a matrix or a field of displacements, and all of a sample are applied in one remap."""
