"""Change an image and everything that lies over it together, repeatably from a seed.

- `example`: an image with its maps, boxes and points as plain arrays. `randomness`: the generator of one sample.
- `chain`: steps as plain data, drawn and applied; `catalogue`: which steps there are.
- `geometry`: flips, affine, elastic: all of a sample become one coordinate map (`placement`) and one remap (`warp`); `border`: what lies
  beyond the frame; `overlay`: boxes and points.
- `intensity`: values; neighbouring point steps are computed in one pass (`pointwise`).
- `batch`: cutmix, copy_paste, which take several samples. `mixup`: images and encoded targets of a batch.
- `default`: the chain that training begins with, with its reasons; `content` and `grain`: what pictures show, and whether they have an up,
  which it depends on.
- `overlap_tile`: windows of networks whose output is smaller than their input. `contact_sheet`: a picture of what a network will see.
"""
