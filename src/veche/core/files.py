"""What a file may be called, and what it is, whatever its sender says: nothing of either is trusted.

A name is what is left of a text when its path, its control and bidirectional characters and whatever some system
forbids are gone.  The type comes from the first bytes alone; what is not known here, or could act in a browser (HTML,
SVG, scripts), is `application/octet-stream`.

Source: row M58; WHATWG MIME Sniffing §6; Unicode TR 36 §3.2 (bidi); Windows "Naming Files, Paths, and Namespaces".
"""

from __future__ import annotations

import re
import unicodedata

MAX_NAME_BYTES = 200
"""Of UTF-8: file systems take 255, and a temporary name beside it is longer."""
HEAD_BYTES = 512
"""What `sniff` wants to see of a file."""
UNKNOWN = "application/octet-stream"
PROGRAM = "program"

_JOINERS = "\u200c\u200d"
"""Format characters that belong to words of some scripts, and to emoji."""
_FORBIDDEN = re.compile(r'[<>:"|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
_PROGRAM_NAME = re.compile(
    r""".+\.(apk|app|appimage|application|appref-ms|appx|appxbundle|bash|bat|bin|chm|cmd|com|command|cpl|csh|deb|desktop
    |dll|dmg|docm|dotm|elf|exe|gadget|hta|htm|html|img|inf|ins|iso|jar|js|jse|ksh|lnk|mht|mhtml|msc|msi|msix|msixbundle
    |msp|mst|out|pif|pkg|pl|potm|ppam|pptm|ps1|psd1|psm1|py|pyc|pyw|pyz|rb|reg|rpm|run|scf|scr|sct|service
    |settingcontent-ms|sh|shb|shs|sldm|svg|swf|sys|url|vb|vbe|vbs|vhd|vhdx|workflow|ws|wsc|wsf|wsh|xhtml|xlam|xlsm|xltm
    |xll|zsh)""",
    re.VERBOSE | re.IGNORECASE,
)
_PROGRAM_HEADS = (b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"dex\n")

_HEADS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_BRANDS = {b"avif": "image/avif", b"avis": "image/avif", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4"}
_VIDEO_BRANDS = (b"iso", b"mp4", b"avc1", b"M4V", b"dash", b"3gp", b"mmp4", b"MSNV")
_OGG = ((b"theora", "video/ogg"), (b"vorbis", "audio/ogg"), (b"OpusHead", "audio/ogg"), (b"FLAC", "audio/ogg"))


def clean_name(name: str) -> str:
    """A plain name, 1 to MAX_NAME_BYTES bytes, safe to use on any system; a clean name stays as it is."""
    name = unicodedata.normalize("NFC", "".join(map(_plain, name)))
    name = re.split(r"[/\\]", name.rstrip("/\\ "))[-1]
    name = _FORBIDDEN.sub("_", " ".join(name.split())).strip(". " + _JOINERS)
    name = _shortened(name) or "file"
    return f"_{_shortened(name, MAX_NAME_BYTES - 1)}" if _RESERVED.fullmatch(name) else name


def _plain(letter: str) -> str:
    """The character, a space for what parts words, nothing for what is unseen or no character."""
    if letter in _JOINERS:
        return letter
    category = unicodedata.category(letter)
    if category[0] == "Z" or letter in "\t\r\n":
        return " "
    return "" if category in ("Cc", "Cf", "Cs") else letter


def _shortened(name: str, limit: int = MAX_NAME_BYTES) -> str:
    """The name within so many bytes, its extension kept."""
    if len(name.encode()) <= limit:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > 20:
        stem, dot, extension = name, "", ""
    tail = dot + extension
    kept = stem.encode()[: limit - len(tail.encode())].decode(errors="ignore")
    return kept.rstrip(". " + _JOINERS) + tail


def warning(name: str, head: bytes = b"") -> str:
    """PROGRAM when the file may run on opening, by its name or by its first bytes, else nothing."""
    return PROGRAM if _PROGRAM_NAME.fullmatch(name) or head.startswith(_PROGRAM_HEADS) else ""


def sniff(head: bytes) -> str:
    """The media type of a file with these first HEAD_BYTES bytes: one of a list of harmless ones, else UNKNOWN."""
    for start, found in _HEADS:
        if head.startswith(start):
            return found
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], UNKNOWN)
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return _BRANDS.get(brand) or ("video/mp4" if brand.startswith(_VIDEO_BRANDS) else UNKNOWN)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "video/webm" if b"webm" in head[:64] else UNKNOWN
    if head[:4] == b"OggS":
        return next((found for mark, found in _OGG if mark in head[:64]), UNKNOWN)
    return UNKNOWN
