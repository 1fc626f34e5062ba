"""Scores of a set of images that say what they mean, and what went wrong.

- `pairs`: which prediction belongs to which truth.
- `score`: each pair scored, in worker processes or one at a time, and the scores pooled.
- `errors`: objects missed, added, merged and split; wrong pixels, and where they lie.
- `intervals`: how far each number could move with other images or groups.
- `compare`: two results on the same truth.
- `outputs`: ``scores.json`` and the tables.
"""
