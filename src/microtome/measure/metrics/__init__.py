"""Numbers that compare a prediction with the truth. Each key has one definition, in `DEFINITIONS`.

- `contingency`: which labels of two maps lie over each other, and in how many pixels.
- `confusion`: the same for classes, truth by prediction, with ignored pixels left out.
- `overlap`: accuracy, IoU and Dice from a confusion.
- `matching`: objects paired one to one, F1 and average precision.
- `evaluate`: all keys for one pair of masks, or for a set.
- `bootstrap`: how far a mean could move with other images.
"""
