"""What documents are damaged with, by both fuzzers."""

import re

TOKEN = re.compile(rb'"[^"\n]{0,40}"|-?\d+(?:\.\d+)?|[,:\[\]{}\n]|[A-Za-z_]+')
WRONG = (
    b"null",
    b"-1",
    b"1e400",
    b"1e-400",
    b'""',
    b"[]",
    b"{}",
    b"true",
    b"NaN",
    b"99999999999999999999999",
    b'"x"',
    b"2026-13-45",
    b"0001-01-01",
    b"\xff",
    b"\x00",
    b",",
    b"\n",
    b"${HOME}",
    b"&a",
    b"*a",
    b"!!",
    b"9" * 400,
)
