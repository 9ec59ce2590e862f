"""How one model's name is spelt: the spellings of hosts as data, and one name resolved without a data frame.

`sources.prices.model_map` resolves whole tables by the same patterns and the same names.
"""

import csv
import re
from functools import cache
from pathlib import Path

from sources.document import SEEDS, TRANSCRIBED

CONFIGURED = TRANSCRIBED / "model_config.csv"
"""Models whose configuration is read, each with the repository of its weights."""
ANY = "*"

HOST_SPELLINGS = (
    (r"\.(gguf|safetensors)$", ""),  # a file of weights
    (r"[-.]i?q\d(_[0-9a-z]+)*$", ""),  # its quantisation, as in Q4_K_M
    (r"^models--", ""),  # a folder of Hugging Face's cache
    (r"--|__", "/"),  # an id as a file or folder writes it
    (r"/+$", ""),
    (
        r"_(none|minimal|low|medium|high|xhigh|max|unknown|thinking|no-thinking|\d+k)$",
        "",
    ),  # effort at which Epoch rates it
    (r"^.*/", ""),  # path of a router or host
    (r"@(default|latest|\d{3})$", ""),  # Vertex AI version
    (r"@", "-"),
    (r"^(us|eu|apac|au|jp|ca|in|sa|us-gov|global|regional)\.", ""),  # Bedrock inference profile
    (r"^nvidia\.(.*?)(:\d+)?$", "$1"),  # Bedrock: vendor.model:build, and the version belongs to the name
    (r"^deepseek\.", "deepseek-"),  # Bedrock writes deepseek.r1
    (
        r"^(?:ai21|amazon|anthropic|cohere|google|meta|minimax|mistral|moonshot|moonshotai|openai|qwen|writer|xai|zai)"
        r"\.([a-z].*?)(?:-v\d+)?$",
        "$1",
    ),  # Bedrock and OCI: vendor.model, vendor.model-v1
    (r"(-v\d+)?:\d+(:\d+k)?$", ""),  # Bedrock build, as in claude-3-haiku-20240307-v1:0
    (r"(oss-\d+b)-\d$", "$1"),  # what is left of gpt-oss-120b-1:0
    (r":(free|beta|thinking)$", ""),  # OpenRouter variants of the same weights
    (r"\+", "-plus"),
    (r"[()]", ""),
    (r"[ ._:]+", "-"),
    (r"(\d)p(\d)", "$1-$2"),  # Fireworks writes v3p1
    (r"^(databricks|fw|zai|nvidia|openai|anthropic|perplexity)-", ""),
    (r"^meta-llama-", "llama-"),
    (r"^llama-?v?(\d)", "llama-$1"),
    (r"^qwen-(\d)", "qwen$1"),
    (r"^claude-([4-9](?:-\d)?)-(opus|sonnet|haiku)", "claude-$2-$1"),
)
"""How hosts spell the same id; applied in order, so that the last ones see only letters, digits and dashes."""

DATE = r"-(20\d{6}|20\d\d-\d\d-\d\d)$"
LABELS = r"(-(instruct|it|hf|fp8|bf16|fp16|awq|nvfp4|maas|gguf|dynamic|quantized|fp4|mxfp4|int4|int8|w8a8|w4a16|gptq|kv))+$"


def spellings(written: str) -> tuple[str, str, str]:
    """A name normalised, without the date of its snapshot, and without tuning and precision as well."""
    name = written.lower().strip()
    for pattern, replacement in HOST_SPELLINGS:
        name = re.sub(pattern, replacement.replace("$", "\\"), name)
    name = re.sub(r"-{2,}", "-", name).strip("-")
    undated = re.sub(DATE, "", name)
    return name, undated, re.sub(DATE, "", re.sub(LABELS, "", undated))


def meaning(written: str) -> str | None:
    """The canonical model that a name means whoever writes it; None where it means none or several."""
    for pattern, model in _rules():
        if pattern.search(written.lower()):
            return model
    return next((_names()[spelling] for spelling in spellings(written) if spelling in _names()), None)


@cache
def _rules() -> tuple[tuple[re.Pattern[str], str | None], ...]:
    general = (row for row in _rows(SEEDS / "model_alias.csv") if row["kind"] == "regex" and _is_general(row))
    return tuple((re.compile(row["pattern"]), row["model"] or None) for row in general)


@cache
def _names() -> dict[str, str | None]:
    """What each normalised name means: a repository's id least of all, then aliases, then canonical names."""
    configured = _rows(CONFIGURED)
    aliases = (row for row in _rows(SEEDS / "model_alias.csv") if row["kind"] == "exact" and _is_general(row))
    own = [row["model"] for row in (*configured, *_rows(SEEDS / "model.csv"))]
    return (
        {spellings(row["hugging_face_id"])[0]: row["model"] for row in configured}
        | {spellings(row["pattern"])[0]: row["model"] or None for row in aliases}
        | {spellings(model)[0]: model for model in own}
    )


def _is_general(row: dict[str, str]) -> bool:
    return row["source"] == ANY and row["provider"] == ANY


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
