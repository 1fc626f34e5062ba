"""What can be wrong with labelled data: one fault a file, each with `find`, and with `mend` where ``--fix`` can undo it.

`find(survey)` gives `Problem`s. `mend(raw, problem, survey, pair)` gives a file's pixels without the fault, and what was changed.
Faults come in this order: a file that one of the first two tuples finds fault with says nothing of objects, classes or place.
"""

from __future__ import annotations

from microtome.learn.data.doctor.faults import (
    blank_image,
    class_imbalance,
    class_missing,
    colours_as_classes,
    contradicting_labels,
    duplicated_mask,
    empty_mask,
    fractions,
    gaps_in_ids,
    ids_at_limit,
    image_kind_differs,
    intensities_as_labels,
    inverted_mask,
    jpeg_mask,
    labels_look_like_classes,
    leaks,
    mask_in_alpha,
    mask_is_a_picture,
    object_in_pieces,
    objects_outside,
    one_based,
    one_number_for_all,
    overlapping_objects,
    palette_trap,
    pinholes,
    shifted_mask,
    sizes_differ,
    soft_edges,
    spacing_differs,
    specks,
    swapped_masks,
    transparent_image,
    turned_mask,
    unknown_values,
    unreadable_file,
)

__all__ = ["FILES", "IDS", "OBJECTS", "PIXELS", "SET"]

FILES = (unreadable_file, sizes_differ)
"""Whether files can be read, and cover the same pixels."""

PIXELS = (fractions, mask_in_alpha, intensities_as_labels, colours_as_classes, jpeg_mask, soft_edges)
"""Whether pixels are ids at all."""

IDS = (palette_trap, mask_is_a_picture, one_based, unknown_values, gaps_in_ids, one_number_for_all)
"""Whether ids are the right ones."""

OBJECTS = (
    ids_at_limit,
    labels_look_like_classes,
    inverted_mask,
    object_in_pieces,
    specks,
    pinholes,
    overlapping_objects,
    objects_outside,
    empty_mask,
    turned_mask,
    swapped_masks,
    shifted_mask,
)
"""Whether labels fit their images, and objects are whole."""

SET = (
    blank_image,
    contradicting_labels,
    duplicated_mask,
    spacing_differs,
    image_kind_differs,
    transparent_image,
    class_missing,
    class_imbalance,
    leaks,
)
"""What only all of them together show."""
