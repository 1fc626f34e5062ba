"""What runs a network that is a file: one engine a file, all of the same form.

An engine is a function ``open_network(data, place, precision=...) -> run``: from a network's bytes, and where they lie, to a function
from windows (N, *window, C), float32, to the network's outputs by name, each (N, *window, L), float32. `run.shape` is what its input
(N, C, *window) must have (None: any number; empty: it does not say).

The same engine, precision and kind of processor give the same bytes, whatever the number of threads and of windows at once.
"""
