"""Labels that models trained without them disagree with: the first to look at when a training set may hold mistakes.

- `rank`: how far a prediction disagrees with the labels, object by object, and what that makes of the image.
- `folds`: the models of a run in folds, and which images each of them never saw.
- `judge`: all images of a data set, each by a model that never saw it.
- `outputs`: the ranking on disk.
"""
