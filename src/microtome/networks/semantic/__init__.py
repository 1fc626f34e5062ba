"""Networks that answer for every pixel, one a file."""
