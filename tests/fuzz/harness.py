"""The coverage-guided fuzzer over one entry: `python -m tests.fuzz.harness openrouter.parse_prices --seconds 60`.

It starts from the kept inputs and looks for bytes that make new lines of `sources` run. An input that breaks the entry, or
takes more time or memory than allowed here, ends it with an error and is left in `--found`, by default beside the kept ones,
which a test of every run replays.
"""

import argparse
import io
import random
import resource
import sys
import tempfile
import zipfile
from pathlib import Path

import atheris

from tests.fuzz.tokens import TOKEN, WRONG

INPUT_S, MEMORY_MB, ADDRESS_BYTES, LONGEST = 10, 1024, 8 << 30, 16_384


def changed(data: bytes, size: int, seed: int) -> bytes:
    """One token for another or for one of WRONG, or bytes as the fuzzer's engine changes them; in an archive, of a member.

    Blind changes alone would nearly all end at the first comma of a document, or at the checksum of an archive.
    """
    chosen = random.Random(seed)
    if members := members_of(data):
        name = chosen.choice(sorted(members))
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for each, body in members.items():
                archive.writestr(each, changed(body, size, seed // 2) if each == name else body)
        data = packed.getvalue()
        return data[:size] if chosen.random() < 0.7 else bytes(atheris.Mutate(data[:size], size))
    tokens = [found.span() for found in TOKEN.finditer(data)]
    if not tokens or chosen.random() < 0.3:
        return bytes(atheris.Mutate(data, size))
    (start, end), (first, last) = chosen.choice(tokens), chosen.choice(tokens)
    new = data[first:last] if chosen.random() < 0.4 else chosen.choice(WRONG)
    return (data[:start] + new + data[end:])[:size]


def members_of(data: bytes) -> dict[str, bytes]:
    """What an archive holds; nothing where it is none."""
    if not data.startswith(b"PK"):
        return {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {each.filename: archive.read(each) for each in archive.infolist() if each.file_size < 2 * LONGEST}
    except Exception:  # whatever the library raises for one that is damaged
        return {}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--found", type=Path)
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    with atheris.instrument_imports(include=["sources"]):
        from tests.fuzz.entries import ENTRIES, SEEDS

    def take(data: bytes) -> None:
        ENTRIES[asked.name](data)

    with tempfile.TemporaryDirectory() as corpus:
        options = {
            "max_total_time": asked.seconds,
            "timeout": INPUT_S,
            "rss_limit_mb": MEMORY_MB,
            "max_len": LONGEST,
            "artifact_prefix": f"{asked.found or SEEDS / asked.name}/",
            "print_final_stats": 1,
            "len_control": 0,
        }
        said = [f"-{name}={value}" for name, value in options.items()]
        atheris.Setup([sys.argv[0], corpus, str(SEEDS / asked.name), *said], take, custom_mutator=changed)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
