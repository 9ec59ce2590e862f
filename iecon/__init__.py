"""The public Python package: ask the published warehouse, and the answers, from Python."""
