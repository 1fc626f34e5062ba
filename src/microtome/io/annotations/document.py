"""Text files that annotation programs write, parsed without trust: JSON, XML and plain text, with size limits."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from microtome.core.errors import InputError

__all__ = ["LARGEST", "ends", "read_json", "read_text", "read_xml"]

LARGEST = 1 << 31
"""Bytes: a document beyond is refused before it is read."""
_END = 1 << 16
_MARK = b"\xef\xbb\xbf"  # the byte order mark that some editors put before UTF-8


def ends(path: Path) -> bytes:
    """The first and the last 64 KiB of a file, enough to tell its kind; nothing where it is a folder or cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(_END)
            file.seek(max(len(head), path.stat().st_size - _END))
            return head.removeprefix(_MARK) + file.read(_END)
    except OSError:
        return b""


def read_bytes(path: Path) -> bytes:
    """A document's bytes.

    Raises
    ------
    InputError
        If the file cannot be read, or is larger than any document.
    """
    try:
        if (size := path.stat().st_size) > LARGEST:
            raise InputError(f"{path}: {size} bytes; documents up to {LARGEST} bytes are read: split it")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def read_text(path: Path) -> str:
    """A document's text in UTF-8, with or without a byte order mark."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not text in UTF-8 (byte {error.start}); save it as UTF-8") from None


def read_json(path: Path) -> Any:
    """A JSON document.

    Raises
    ------
    InputError
        With line and column, if it is cut short or damaged; if one object has two fields of one name, of which one would be lost.
    """
    text = read_text(path)
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated")
        raise InputError(f"{path}: line {error.lineno}, column {error.colno}: {'the file ends too early' if cut else 'not JSON'} "
                         f"({error.msg}); export it again") from None  # fmt: skip
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (RecursionError, ValueError) as error:
        raise InputError(f"{path}: not JSON that can be read: {type(error).__name__}: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise InputError(f"the field {twice[:40]!r} stands more than once in one object, and only one can be meant; remove the others")
    return found


def read_xml(path: Path, root: str) -> Element:
    """An XML document without entities, whose outermost element is `root`.

    Raises
    ------
    InputError
        If it declares a document type or entities (none of our formats does, and they can fill the memory or open other files), is
        damaged, or is of another kind.
    """
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    data = read_bytes(path)
    try:
        element: Element = ElementTree.fromstring(data, forbid_dtd=True)
    except DefusedXmlException:
        raise InputError(f"{path}: declares a document type or entities, which annotations never need; refused") from None
    except (ParseError, ValueError, LookupError, RecursionError) as error:  # LookupError: an encoding that nobody knows
        raise InputError(f"{path}: not XML, or cut short: {error}") from None
    if element.tag != root:
        raise InputError(f"{path}: expected the element <{root}> outermost, found <{element.tag}>")
    return element
