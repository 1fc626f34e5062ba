"""An image in windows: `cover` says where they lie, `stitch` blends what a network says of each into one map."""
