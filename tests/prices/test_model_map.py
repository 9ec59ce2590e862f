"""From ids to canonical models: golden ids, no conflict in the tables, coverage, and one price per model at its own shop."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.prices.models import Model, ModelAlias, Provider
from sources.document import SEEDS
from sources.prices import genai_prices, litellm, models_dev, openrouter
from sources.prices.model_map import ID, models, normalised, providers, reduced, resolve
from sources.prices.model_spelling import ANY, CONFIGURED
from sources.serving.benchmark_outputs.operating_points import canonical_models
from sources.source import Snapshot

PRICING = Path(__file__).resolve().parents[3] / "shared" / "data" / "pricing"

DAY = datetime(2026, 11, 12, tzinfo=UTC)
NOT_TEXT = (
    r"audio|realtime|tts|transcribe|whisper|image|embed|live|lyria|robotics|moderation|omni|nano-banana|learnl?m|"
    r"^ft:|^ada$|^babbage$|^curie$|^davinci$|bison|gecko"
)

NOT_ONE_MODEL = r"(^|/)(chat|gpt-chat|(gpt-)?daybreak-\w+|gemini-(pro|flash|flash-lite))-latest$"
"""Names that move to the vendor's newest model: left out of the map on purpose."""


def one(source: str, provider: str, model: str) -> dict[str, object]:
    ids = pl.DataFrame({"source": [source], "source_provider": [provider], "source_model": [model]})
    return resolve(ids).row(0, named=True)


@pytest.mark.parametrize(
    ("source", "provider", "model", "canonical_provider", "canonical_model"),
    [
        # dated snapshots at the price of the undated name are the same model, the one at its own price is not
        ("litellm", "openai", "gpt-4o-2024-08-06", "openai", "gpt-4o"),
        ("litellm", "openai", "gpt-4o-2024-05-13", "openai", "gpt-4o-2024-05-13"),
        ("litellm", "openai", "gpt-4-0613", "openai", "gpt-4"),
        ("litellm", "openai", "gpt-3.5-turbo-0613", "openai", "gpt-3.5-turbo-0613"),
        ("litellm", "text-completion-openai", "gpt-3.5-turbo-instruct-0914", "openai", "gpt-3.5-turbo-instruct"),
        ("genai_prices", "openai", "gpt-5.6-luna", "openai", "gpt-5.6-luna"),
        # the ways to spell one Claude
        ("litellm", "anthropic", "claude-3-5-sonnet-20241022", "anthropic", "claude-3.5-sonnet"),
        ("openrouter", "openrouter", "anthropic/claude-3.5-sonnet", "openrouter", "claude-3.5-sonnet"),
        ("litellm", "bedrock", "us.anthropic.claude-3-5-sonnet-20241022-v2:0", "aws-bedrock", "claude-3.5-sonnet"),
        ("litellm", "vertex_ai", "vertex_ai/claude-3-5-sonnet-v2@20241022", "google-vertex", "claude-3.5-sonnet"),
        ("litellm", "anthropic", "claude-4-opus-20250514", "anthropic", "claude-opus-4"),
        ("litellm", "bedrock", "bedrock/us-east-1/anthropic.claude-v2:1", "aws-bedrock", "claude-2.1"),
        ("litellm", "bedrock", "anthropic.claude-v2", "aws-bedrock", "claude-2"),
        # open weights at their hosts
        ("litellm", "together_ai", "together_ai/meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo", "together", "llama-3.1-70b"),
        ("genai_prices", "fireworks", "llama-v3p1-8b-instruct", "fireworks", "llama-3.1-8b"),
        ("genai_prices", "ovhcloud", "Meta-Llama-3_3-70B-Instruct", "ovhcloud", "llama-3.3-70b"),
        ("litellm", "groq", "groq/llama3-8b-8192", "groq", "llama-3-8b"),
        ("genai_prices", "aws", "openai.gpt-oss-120b-1:0", "aws-bedrock", "gpt-oss-120b"),
        ("genai_prices", "aws", "nvidia.nemotron-nano-9b-v2:0", "aws-bedrock", "nemotron-nano-9b-v2"),
        ("litellm", "bedrock_converse", "us.deepseek.r1-v1:0", "aws-bedrock", "deepseek-r1"),
        ("genai_prices", "cloudflare", "@cf/meta/llama-2-7b-chat-fp16", "cloudflare", "llama-2-7b"),
        ("models_dev", "togetherai", "Qwen/Qwen3-235B-A22B-Instruct-2507", "together", "qwen3-235b-a22b-2507"),
        ("models_dev", "fireworks-ai", "accounts/fireworks/models/deepseek-v3p1", "fireworks", "deepseek-v3.1"),
        # the same id means another model at another seller
        ("litellm", "deepseek", "deepseek/deepseek-chat", "deepseek", "deepseek-chat"),
        ("openrouter", "openrouter", "deepseek/deepseek-chat", "openrouter", "deepseek-v3"),
        ("genai_prices", "openrouter", "deepseek/deepseek-chat-v3-0324", "openrouter", "deepseek-v3-0324"),
        ("litellm", "openrouter", "openrouter/meta-llama/llama-3.1-405b-instruct", "openrouter", "llama-3.1-405b"),
        ("litellm", "perplexity", "perplexity/sonar", "perplexity", "sonar"),
        # Epoch's names and model versions
        ("epoch", "", "GPT-4 (Mar 2023)", "epoch", "gpt-4"),
        ("epoch", "", "DeepSeek-V3", "epoch", "deepseek-v3-0324"),
        ("epoch", "", "Llama 3.1-405B", "epoch", "llama-3.1-405b"),
        ("epoch", "", "claude-opus-4-5-20251101_32K", "epoch", "claude-opus-4.5"),
        ("epoch", "", "gpt-5-2025-08-07_high", "epoch", "gpt-5"),
    ],
)
def test_known_ids(source: str, provider: str, model: str, canonical_provider: str, canonical_model: str) -> None:
    found = one(source, provider, model)
    assert (found["provider"], found["model"]) == (canonical_provider, canonical_model)


@pytest.mark.parametrize(
    ("source", "provider", "model"),
    [
        ("openrouter", "openrouter", "~anthropic/claude-sonnet-latest"),  # moves to the newest
        ("litellm", "mistral", "mistral/mistral-large-latest"),
        ("litellm", "gemini", "gemini/gemini-flash-latest"),
        ("litellm", "openai", "ft:gpt-4o-2024-08-06"),  # fine-tuned copy
        ("genai_prices", "openrouter", "openai/gpt-4o:extended"),
        ("litellm", "bedrock", "bedrock/us-east-1/1-month-commitment/anthropic.claude-v2:1"),
        ("openrouter", "openrouter", "meta-llama/llama-3.1-405b"),  # base model
        ("genai_prices", "perplexity", "perplexity/sonar"),  # another product's price
        ("litellm", "openai", "gpt-4o-audio-preview"),
        ("epoch", "", "Qwen Plus"),  # re-pointed name
        ("litellm", "openai", "gpt-9-tts"),
        ("litellm", "some_host", "some_host/nobody-knows-7b"),  # who made it is not told
    ],
)
def test_no_map_is_better_than_a_wrong_one(source: str, provider: str, model: str) -> None:
    found = one(source, provider, model)
    assert found["model"] is None
    assert found["first_party"] is None
    assert found["matched_by"] in (None, "excluded")


@pytest.mark.parametrize(
    ("source", "provider", "model", "name", "developer"),
    [
        ("litellm", "openai", "gpt-9", "gpt-9", "openai"),  # by its family
        ("genai_prices", "openrouter", "z-ai/glm-9", "glm-9", "zai"),
        ("litellm", "vertex_ai", "vertex_ai/gemini-9-neon", "gemini-9-neon", "google"),  # a host in the path says nothing
        ("litellm", "azure_ai", "azure_ai/gpt-9", "gpt-9", "openai"),
        ("litellm", "databricks", "databricks/databricks-claude-sonnet-9", "claude-sonnet-9", "anthropic"),
        ("litellm", "bedrock", "bedrock/us-gov-east-1/nvidia.nemotron-9", "nemotron-9", "nvidia"),
        ("genai_prices", "novita", "Sao10K/L9-8B-Stheno-v9.2", "l9-8b-stheno-v9-2", "sao10k"),  # by the organisation
        ("genai_prices", "openrouter", "acme/llama-3.1-made-by-acme", "llama-3-1-made-by-acme", "acme"),
        ("genai_prices", "openrouter", "openai/gpt-9:batch", "gpt-9", "openai"),  # behind a colon stands how it is served
        ("litellm", "inception", "inception/thing-2", "thing-2", "inception"),  # a vendor sells its own
    ],
)
def test_a_model_in_no_map_stands_for_itself_where_the_id_tells_who_made_it(
    source: str, provider: str, model: str, name: str, developer: str
) -> None:
    found = one(source, provider, model)
    assert (found["model"], found["developer"], found["matched_by"]) == (name, developer, "as_listed")


def test_a_new_model_is_first_party_at_its_vendor_alone() -> None:
    assert one("litellm", "openai", "gpt-9")["first_party"] is True
    assert one("litellm", "azure", "azure/gpt-9")["first_party"] is False


IN_NO_CHAT = r"embed|audio|speech|image|rerank|guard|moderation|tts|realtime|transcribe|ocr|live|sonic|voyage|^ft:"
MOVES_OR_TUNED = r"latest|nightly|router|abliterat|fine-?tune"


def test_names_are_mapped_to_the_bars() -> None:
    """95 % of chat ids, and every name that three sources list, over the installed prices and the shipped captures."""
    documents = [
        (
            genai_prices.parse_prices,
            Snapshot("genai_prices", genai_prices.installed_document(), "0" * 64, "installed", "here", DAY),
        ),
        (
            openrouter.parse_prices,
            Snapshot("openrouter", (SEEDS / "openrouter.json").read_bytes(), "0" * 64, "seed", "here", DAY),
        ),
        (litellm.parse_prices, Snapshot("litellm", (SEEDS / "litellm.json").read_bytes(), "0" * 64, "seed", "here", DAY)),
        (
            models_dev.parse_prices,
            Snapshot("models_dev", (SEEDS / "models_dev.json").read_bytes(), "0" * 64, "seed", "here", DAY),
        ),
    ]
    listed = pl.concat([parse(document).accepted.select(ID) for parse, document in documents]).unique()
    written = pl.col("source_model").str.to_lowercase()
    chat = resolve(listed).filter(~written.str.contains(IN_NO_CHAT), ~written.str.contains(MOVES_OR_TUNED))
    assert chat.height > 1500
    assert chat["model"].count() / chat.height >= 0.95
    name = reduced(normalised(pl.col("source_model")))
    by_name = chat.group_by(name.alias("name")).agg(pl.col("source").n_unique(), pl.col("model").count(), ids=pl.len())
    assert by_name.filter(pl.col("source") >= 3, pl.col("model") < pl.col("ids"))["name"].to_list() == []


def test_first_party_tells_the_developers_own_shop_from_hosts() -> None:
    assert one("litellm", "openai", "gpt-4o")["first_party"] is True
    assert one("litellm", "azure", "azure/gpt-4o")["first_party"] is False
    assert one("openrouter", "openrouter", "openai/gpt-4o")["first_party"] is False
    assert one("litellm", "bedrock", "amazon.nova-lite-v1:0")["first_party"] is True
    assert one("litellm", "bedrock", "anthropic.claude-3-haiku-20240307-v1:0")["first_party"] is False


def test_unknown_sellers_keep_their_own_spelling() -> None:
    assert one("genai_prices", "huggingface_novita", "deepseek-ai/DeepSeek-R1")["provider"] == "huggingface-novita"
    assert one("litellm", "New_Host", "x")["provider"] == "new-host"


def test_models_and_providers_satisfy_their_contracts() -> None:
    Model.validate(models())
    Provider.validate(providers())
    assert models().height >= 400
    for value, basis in (
        ("release_date", "release_date_basis"),
        ("open_weights", "open_weights_basis"),
        ("reasoning", "reasoning_basis"),
    ):
        assert models().filter(pl.col(value).is_null() != pl.col(basis).is_null()).is_empty()


def test_rolling_names_claim_nothing_of_the_model_behind_them() -> None:
    rolling = models().filter("rolling")
    assert rolling.height > 0
    assert (
        rolling.select("release_date", "open_weights", "reasoning").null_count().sum_horizontal().item() == 3 * rolling.height
    )


def test_alias_table_has_no_conflicts_and_every_target_exists() -> None:
    table = pl.read_csv(SEEDS / "model_alias.csv", infer_schema=False)
    assert set(table["kind"]) == {"exact", "regex", "left_out"}
    targets = table["model"].drop_nulls()
    assert set(targets) <= set(models()["model"])
    own = models().select(source=pl.lit(ANY), provider=pl.lit(ANY), name=normalised(pl.col("model")), model="model")
    exact = table.filter(pl.col("kind") == "exact").select(
        "source", "provider", name=normalised(pl.col("pattern")), model="model"
    )
    meanings = pl.concat([own, exact]).group_by("source", "provider", "name").agg(pl.col("model").n_unique())
    assert meanings.filter(pl.col("model") > 1).is_empty()


def test_every_model_is_found_under_its_own_name() -> None:
    ids = models().select(source=pl.lit("a_source"), source_provider=pl.lit("a host"), source_model="model")
    assert resolve(ids).filter(pl.col("model") != pl.col("source_model")).is_empty()


def test_provider_table_gives_one_seller_per_spelling() -> None:
    table = pl.read_csv(SEEDS / "provider_alias.csv", infer_schema=False)
    assert ((table["source"] == ANY) != (table["source_provider"] == ANY)).all()
    assert table.filter(pl.struct("source", "source_provider").is_duplicated()).is_empty()
    assert (table["source_provider"] == table["source_provider"].str.to_lowercase().str.replace_all("_", "-")).all()
    assert providers()["provider"].is_unique().all()
    assert set(providers()["first_party_of"].drop_nulls()) <= set(models()["developer"])


def genai_ids() -> pl.DataFrame:
    from genai_prices import data

    rows = [("genai_prices", provider.id, model.id) for provider in data.providers for model in provider.models]
    return pl.DataFrame(rows, schema=ID, orient="row")


def litellm_history() -> pl.DataFrame:
    table = pl.read_csv(PRICING / "litellm_price_history.csv", infer_schema_length=None)
    named = table.rename({"provider": "source_provider", "model": "source_model"}).with_columns(source=pl.lit("litellm"))
    return named.filter(pl.col("source_provider").is_not_null())


def litellm_in_force() -> pl.DataFrame:
    """Text routes with a price in the last version of the file."""
    last = litellm_history().group_by("source_provider", "source_model", maintain_order=True).last()
    return last.filter(
        (pl.col("event") != "removed")
        & pl.col("mode").is_in(["chat", "responses", "completion"])
        & (pl.col("input_usd_per_mtok") > 0)
        & (pl.col("output_usd_per_mtok") > 0)
    )


def covered(ids: pl.DataFrame) -> pl.DataFrame:
    """Share of text routes with a model, by seller."""
    names = pl.col("source_model")
    return (
        resolve(ids.filter(~names.str.contains(NOT_TEXT), ~names.str.contains(NOT_ONE_MODEL)))
        .group_by("provider")
        .agg(n=pl.len(), share=pl.col("model").is_not_null().mean())
    )


FOUR = ["openai", "anthropic", "google", "deepseek"]


def test_most_first_party_text_routes_of_genai_prices_are_mapped() -> None:
    share = covered(genai_ids()).filter(pl.col("provider").is_in(FOUR))
    assert share.height == 4
    assert (share["share"] >= 0.9).all()


@pytest.mark.published
def test_most_first_party_text_routes_of_litellm_are_mapped() -> None:
    share = covered(litellm_in_force().select(ID))
    four = share.filter(pl.col("provider").is_in(FOUR))
    assert four.height == 4
    assert (four["share"] >= 0.85).all()  # Google: one experiment and two research agents of 20 routes are no models here
    assert four.select((pl.col("share") * pl.col("n")).sum() / pl.col("n").sum()).item() >= 0.9
    assert share.filter(pl.col("provider") == "aws-bedrock")["share"].item() >= 0.9


def test_ids_of_one_source_stay_apart_under_canonical_sellers() -> None:
    known = resolve(genai_ids())
    assert known.filter(pl.struct("provider", "source_model").is_duplicated()).is_empty()
    ModelAlias.validate(known.select(list(ModelAlias.to_schema().columns)))


@pytest.mark.published
def test_a_model_has_one_price_at_its_developers_own_shop() -> None:
    """The rule for snapshots and previews, held against every price in force; Amazon prices regions apart."""
    own = resolve(litellm_in_force()).filter(pl.col("first_party") & (pl.col("provider") != "aws-bedrock"))
    prices = own.group_by("provider", "model").agg(pl.struct("input_usd_per_mtok", "output_usd_per_mtok").n_unique().alias("n"))
    assert prices.height > 150
    assert prices.filter(pl.col("n") > 1).is_empty()


@pytest.mark.published
def test_every_canonical_model_stands_under_an_id_of_a_source() -> None:
    routes = json.loads((PRICING / "openrouter_models_2026-05.json").read_text())["data"]
    index = pl.read_csv(PRICING / "quality" / "eci_scores_2026-02-08.csv")["Model"]
    ids = pl.concat(
        [
            genai_ids(),
            litellm_history().select(ID).unique(),
            pl.DataFrame([("openrouter", "openrouter", route["id"]) for route in routes], schema=ID, orient="row"),
            pl.DataFrame([("epoch", "", name) for name in index], schema=ID, orient="row"),
        ]
    ).unique()
    shapes = pl.read_csv(SEEDS.parent / "transcribed" / "model_shape.csv", infer_schema=False)
    configured = pl.read_csv(CONFIGURED, infer_schema=False)
    listed = set(resolve(ids, listed=False)["model"].drop_nulls()) | set(shapes["model"]) | set(configured["model"])
    assert set(models()["model"]) == listed


@pytest.mark.published
def test_attributes_follow_their_documents() -> None:
    index = pl.read_csv(PRICING / "quality" / "eci_scores_2026-02-08.csv").select(
        source=pl.lit("epoch"),
        source_provider=pl.lit(""),
        source_model="Model",
        date="date",
        access="Model accessibility",
    )
    rated = resolve(index).filter(pl.col("model").is_not_null())
    first = rated.group_by("model").agg(pl.col("date").min(), is_open=pl.col("access").str.starts_with("Open weights").any())
    joined = models().join(first, on="model")
    dated = joined.filter(pl.col("release_date_basis") == "epoch")
    assert dated.height > 60
    assert (dated["release_date"].cast(pl.String) == dated["date"]).all()
    weights = joined.filter(pl.col("open_weights_basis") == "epoch")
    assert (weights["open_weights"] == weights["is_open"]).all()
    line = joined.filter(pl.col("model").str.contains(r"^(gpt-\d|o\d|claude-|gemini-)"))
    assert not line["is_open"].any()  # what the inference `line` rests on


def test_rows_keep_their_order_and_other_columns() -> None:
    ids = pl.DataFrame(
        {
            "price": [3.0, 1.0, 3.0],
            "source": ["litellm"] * 3,
            "source_provider": ["openai"] * 3,
            "source_model": ["o3", "gpt-4", "o3"],
        }
    )
    found = resolve(ids)
    assert found["price"].to_list() == [3.0, 1.0, 3.0]
    assert found["model"].to_list() == ["o3", "gpt-4", "o3"]
    assert resolve(ids.clear()).is_empty()


SPELLINGS = (
    "{}",
    "vendor/{}",
    "host/accounts/vendor/models/{}",
    "us.anthropic.{}",
    "bedrock/us-east-1/{}",
    "models/{}",
    "{}:free",
    "{}-instruct",
    "{}-20250101",
    "{}-2025-01-01",
    "databricks-{}",
    " {} ",
)
ENDS_LIKE_A_LABEL = r"\d{8}|\d{4}-\d\d-\d\d|-v\d$|^gpt-3\.5-turbo(-instruct)?$"
PLAIN = models().filter(~pl.col("model").str.contains(ENDS_LIKE_A_LABEL)).sort("model")["model"].to_list()


@given(model=st.sampled_from(PLAIN), spelling=st.sampled_from(SPELLINGS), upper=st.booleans())
def test_a_host_may_spell_a_model_in_many_ways(model: str, spelling: str, upper: bool) -> None:
    written = spelling.format(model)
    found = one("a_source", "a host", written.upper() if upper else written)["model"]
    assert found == model


def test_a_label_is_dropped_only_where_the_longer_name_is_no_model() -> None:
    assert one("a_source", "a host", "gpt-3.5-turbo-instruct-20250101")["model"] == "gpt-3.5-turbo-instruct"
    assert one("a_source", "a host", "llama-3.1-8b-instruct-fp8")["model"] == "llama-3.1-8b"


@given(st.text(max_size=30))
def test_any_text_is_an_id(text: str) -> None:
    key = pl.DataFrame({"id": [text]}).select(name=normalised(pl.col("id"))).with_columns(short=reduced(pl.col("name")))
    assert key["name"].item() is not None
    assert len(key["short"].item()) <= len(key["name"].item())


@pytest.mark.parametrize(
    ("format_", "name", "model"),
    [
        ("inferencex", "dsr1", "deepseek-r1-0528"),
        ("inferencex", "kimik2.5", "kimi-k2.5"),
        ("inferencex", "glm5", "glm-5"),
        ("inferencex", "minimaxm2.5", "minimax-m2.5"),
        ("inferencex", "gptoss120b", "gpt-oss-120b"),
        ("inferencex", "MiniMaxAI/MiniMax-M2.5", "minimax-m2.5"),
        ("inferencex", "llama70b", "llama-3.3-70b"),
        ("mlperf", "llama2-70b-99.9", "llama-2-70b"),
        ("mlperf", "llama3_1-405b", "llama-3.1-405b"),
        ("vllm", "dsr1", None),
        ("vllm", "Qwen/Qwen3.5-397B-A17B", "qwen3.5-397b-a17b"),
        ("vllm", "meta-llama/Llama-3.1-70B-Instruct", "llama-3.1-70b"),
        ("aiconfigurator", "nvidia/DeepSeek-R1-NVFP4", "deepseek-r1"),
        ("sglang", None, None),
        ("vllm", "acme/Model-7B", None),
    ],
)
def test_names_of_benchmark_outputs(format_: str, name: str | None, model: str | None) -> None:
    assert canonical_models(pl.Series([format_]), pl.Series([name], dtype=pl.String)).to_list() == [model]


def test_every_model_with_a_shape_is_a_model() -> None:
    shapes = pl.read_csv(SEEDS.parent / "transcribed" / "model_shape.csv", infer_schema=False)
    assert set(shapes["model"]) <= set(models()["model"])
