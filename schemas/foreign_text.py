"""What others wrote, made fit to be shown: signs that steer a terminal, or turn the order of what is read, become visible.

Publishers, file names and error messages may hold anything. Shown as they are, an escape sequence can clear a screen, write
into a clipboard or hide a line, and a right-to-left mark makes `exe.fdp` of `pdf.exe`. Data are kept and exported as they came.
"""

import re

STEERING = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control signs, but for tab and line feed
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"  # marks that turn the direction, or cannot be seen
    "\u2028\u2029\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f"
    "]"
)
"""Also line and paragraph separators, halves of signs (bytes of file names that are no UTF-8), and invisible tags."""


def plain(text: str) -> str:
    """A text with every steering sign as its code: `\\x1b`, `\\u202e`."""
    return STEERING.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def escaped_in_json(text: str) -> str:
    """JSON with every steering sign as JSON itself writes it: the same values, to be shown anywhere."""
    return STEERING.sub(_json_escape, text)


def escaped_in_markdown(text: str) -> str:
    """A text that Markdown shows as it is: no link, picture, tag or column."""
    return re.sub(r"([\\`*_{}\[\]()<>#!|~])", r"\\\1", plain(text))


def _json_escape(found: re.Match[str]) -> str:
    return "".join(f"\\u{unit:04x}" for unit in _utf16(found[0]))


def _utf16(sign: str) -> list[int]:
    raw = sign.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
