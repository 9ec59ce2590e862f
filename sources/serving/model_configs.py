"""Configurations of models as transcribed from config.json files: `transcribed/model_config.csv`, one row per model.

A row carries the fields that say what the model holds, as JSON. A list that repeats is written as its pattern:
{"pattern": [...], "times": n, "then": [...]}. A model without a configuration of its own names the sibling that has its shape.
"""

import json
from functools import lru_cache
from typing import Any

from schemas.quarantine import Parsed
from schemas.serving.model_configs import ModelConfiguration
from sources.document import TRANSCRIBED, document
from sources.evidence.published_figures import typed
from sources.serving.model_config import ModelConfig, read_config
from sources.source import Snapshot, refuses_in_words

FILE = TRANSCRIBED / "model_config.csv"
SOURCE = document(FILE)


@refuses_in_words
def parse(snapshot: Snapshot) -> Parsed:
    """Read the configurations (contract `ModelConfiguration`). Nothing is refused here: the contract judges each row."""
    return typed(snapshot, ModelConfiguration)


@lru_cache(maxsize=1024)
def config_of(text: str) -> ModelConfig:
    """A configuration as a row of the table writes it, read with its patterns written out."""
    return read_config(written_out(json.loads(text)))


def written_out(value: Any) -> Any:
    """A value of a configuration with every pattern repeated as often as it says."""
    if isinstance(value, dict):
        if "pattern" in value:
            return written_out(value["pattern"]) * value["times"] + written_out(value.get("then", []))
        return {name: written_out(part) for name, part in value.items()}
    return [written_out(part) for part in value] if isinstance(value, list) else value
