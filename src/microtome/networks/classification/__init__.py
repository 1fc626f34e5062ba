"""Networks that answer for a whole image: one class, not one a pixel."""
