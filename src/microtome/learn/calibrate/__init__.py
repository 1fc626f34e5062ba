"""How sure a model may be: temperatures of its probabilities, and intervals about its counts, from held-out images."""
