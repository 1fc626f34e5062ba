"""Numbers that compare a prediction with the truth. Each key has one definition, in `definitions`.

- `contingency`: which labels of two maps lie over each other, and in how many pixels.
- `confusion`: the same for classes, truth by prediction, with ignored pixels left out.
- `overlap`: accuracy, IoU, Dice and their kin from a confusion.
- `surface_distances`, `boundary_f1`: how far apart outlines are.
- `rand`, `voi`: partitions compared, whatever their numbers.
- `warping`: what stays wrong when shapes may bend but not tear.
- `matching`: objects paired one to one, F1 and average precision; `assignment`: the best such pairing.
- `panoptic_quality`, `aji`, `seg`: objects outlined and found, in one number.
- `coco_ap`, `voc_ap`: average precision of ranked predictions.
- `score_counts`, `roc`, `precision_recall`, `calibration`: scores before a threshold.
- `count_error`: counts of objects.
- `definitions`: what each key means, and which keys a name stands for.
- `evaluate`: all keys for one pair of masks, or for a set; `pair` and its kin, `ranking`: how they are taken.
- `bootstrap`: how far a mean could move with other images.
"""
