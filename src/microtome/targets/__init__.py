"""What a network is taught and what its output means: masks encoded as numbers, and outputs decoded into masks (see `catalogue`)."""
