"""Hot loops that more than one step uses."""
