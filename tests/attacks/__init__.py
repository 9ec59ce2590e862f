"""Attacks on an installation, as the pages on security and operations tell of them: `uv run python -m tests.attacks --help`."""
