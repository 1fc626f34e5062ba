"""Files to nouns and back."""

from __future__ import annotations

from pathlib import Path

from microtome.core.raster import Image, InstanceMap, SemanticMap

__all__ = ["read", "read_mask", "write"]


def read(
    path: str | Path, *, axes: str | None = None, spacing: str | None = None, page: int | None = None, max_pixels: int | None = None
) -> Image:
    """Read an image file; see `microtome.io.images.read` for what is read and what is refused."""
    from microtome.io.images import read as read_image

    return read_image(path, axes=axes, spacing=spacing, page=page, max_pixels=max_pixels)


def read_mask(path: str | Path) -> SemanticMap | InstanceMap:
    """Read a mask file; see `microtome.io.masks.read_mask`."""
    from microtome.io.masks import read_mask as read_labels

    return read_labels(Path(path))


def write(noun: Image | SemanticMap | InstanceMap, path: str | Path) -> Path:
    """Write an image or a mask, lossless; the suffix names the format.

    Returns
    -------
    Path
        The file written.
    """
    from microtome.io.images import write as write_image
    from microtome.io.masks import write_mask_as

    path = Path(path)
    if isinstance(noun, Image):
        write_image(noun, path)
        return path
    return write_mask_as(noun, path)
