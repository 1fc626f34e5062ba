"""What a file is, by its first bytes; its name is only a hint."""

from __future__ import annotations

import re

__all__ = ["HEAD", "family_of", "looks_like"]

HEAD = 512

_FAMILIES = (
    (rb"\x89PNG\r\n\x1a\n", "png"),
    (rb"\xff\xd8\xff", "jpeg"),
    (rb"GIF8[79]a", "gif"),
    (rb"BM", "bmp"),
    (rb"RIFF....WEBP", "webp"),
    (rb"P[1-6][\s#]", "pnm"),
    (rb"II[*+]\0|MM\0[*+]", "tiff"),
    (rb"\x93NUMPY", "npy"),
)
_OTHERS = (
    (rb"\x89PNG|.PNG", "a PNG damaged on its way (line endings were changed)"),
    (rb"%PDF", "a PDF"),
    (rb"PK\x03\x04", "a ZIP archive (or .npz, .docx, .xlsx)"),
    (rb"\x1f\x8b", "a gzip archive (such as .nii.gz)"),
    (rb"\x89HDF", "HDF5 (such as .h5, .ims)"),
    (rb"P7\s", "a PAM image"),
    (rb"P[fF]\s", "a PFM image"),
    (rb"\0\0\0\x0cjP", "JPEG 2000"),
    (rb"....ftyp", "HEIC, AVIF or a film"),
    (rb"\xff\x0a|\0\0\0\x0cJXL", "JPEG XL"),
    (rb".{128}DICM", "DICOM"),
    (rb"\x5c\x01\0\0|\0\0\x01\x5c", "NIfTI or Analyze"),
    (rb"\xda\xce\xbe\x0a", "Nikon ND2"),
    (rb"ZISRAWFILE", "Zeiss CZI"),
    (rb"p\0\0\0\*", "Leica LIF"),
    (rb"version https://git-lfs", "a Git LFS pointer: the image itself was not fetched (git lfs pull)"),
    (rb"\s*<\?xml|\s*<svg", "XML or SVG"),
    (rb"\s*<(!doctype|html)", "a web page"),
    (rb"\s*[\[{]", "text, perhaps JSON"),
    (rb"\0+\Z", "zeros only"),
)  # fmt: skip


def family_of(head: bytes) -> str | None:
    """The format family (``"png"``, ``"tiff"``, ...) whose magic bytes a file begins with.

    >>> family_of(b"GIF89a...")
    'gif'
    """
    return next((family for magic, family in _FAMILIES if re.match(magic, head, re.DOTALL)), None)


def looks_like(head: bytes) -> str:
    """What else a file may be, in words.

    >>> looks_like(b"name,area\\n1,20\\n")
    'text'
    """
    for magic, words in _OTHERS:
        if re.match(magic, head, re.DOTALL | re.IGNORECASE):
            return words
    try:
        text = head.decode("utf-8", errors="strict" if len(head) < HEAD else "ignore")
    except UnicodeDecodeError:
        return "nothing known"
    return "text" if all(c.isprintable() or c.isspace() for c in text) else "nothing known"
