"""What runs a network that is a file: one engine a file, all of the same form.

An engine is a function ``open(data) -> run``: from a network's bytes to a function from windows (N, *window, C), float32, to the network's
outputs by name, each (N, *window, L), float32.
"""
