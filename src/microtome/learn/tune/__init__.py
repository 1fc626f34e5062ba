"""Search a recipe's settings on labelled images, and say honestly what that gained.

- `space`: which settings are searched, and where.
- `score`: one recipe on many images, what was scored before kept.
- `search`: one search over some of the images.
- `importance`: what each setting was worth.
- `tune`: all of it, by folds, so that the score is of images the choice did not see.
- `outputs`: what a search leaves on disk. `fingerprint`: whether a resumed search is about the same images.
"""
