"""Text files that annotation programs write, parsed without trust: JSON, XML and plain text, with size limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from microtome.core.errors import InputError

__all__ = ["LARGEST", "read_json", "read_text", "read_xml"]

LARGEST = 1 << 31
"""Bytes: a document beyond is refused before it is read."""


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
        With line and column, if it is cut short or damaged.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated")
        raise InputError(f"{path}: line {error.lineno}, column {error.colno}: {'the file ends too early' if cut else 'not JSON'} "
                         f"({error.msg}); export it again") from None  # fmt: skip
    except (RecursionError, ValueError) as error:
        raise InputError(f"{path}: not JSON that can be read: {type(error).__name__}: {error}") from None


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
    except (ParseError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not XML, or cut short: {error}") from None
    if element.tag != root:
        raise InputError(f"{path}: expected the element <{root}> outermost, found <{element.tag}>")
    return element
