"""Steps that make samples of several samples: ``draw(rng, frame, count, *, settings)``, ``apply(parameters, examples)``."""
