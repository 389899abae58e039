"""Metadata in png and jpeg pictures: an XMP packet, put in and taken out again."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from html import escape, unescape

_PNG, _PNG_KEY = b"\x89PNG\r\n\x1a\n", b"XML:com.adobe.xmp\0\0\0\0\0"
_JPEG, _JPEG_KEY = b"\xff\xd8", b"http://ns.adobe.com/xap/1.0/\0"
_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/">{}</rdf:Description></rdf:RDF></x:xmpmeta>'
)
_PROPERTY = re.compile(rb"<TC260:AIGC>([^<]{0,4096})</TC260:AIGC>")
_DESCRIPTION = (
    '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt></dc:description>'
)


def tagged(data: bytes, tags: Mapping[str, str]) -> bytes:
    """The picture ``data`` with ``tags`` ("comment", "AIGC"); formats without a place for them
    come back as they are.
    """  # fmt: skip
    if not tags:
        return data
    properties = _DESCRIPTION.format(escape(tags.get("comment", "")))
    if "AIGC" in tags:
        properties += f"<TC260:AIGC>{escape(tags['AIGC'])}</TC260:AIGC>"
    packet = _XMP.format(properties).encode()
    if data.startswith(_PNG):
        at = len(_PNG) + 25  # behind the header chunk
        body = b"iTXt" + _PNG_KEY + packet
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        return data[:at] + chunk + data[at:]
    if data.startswith(_JPEG):
        body = _JPEG_KEY + packet
        return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]
    return data


def aigc_tag(data: bytes) -> str | None:
    """The ``AIGC`` property in the XMP of a picture's first bytes (none: ``None``)."""
    found = _PROPERTY.search(data)
    return None if found is None else unescape(found.group(1).decode("utf-8", "replace"))
