"""What counts as a price of today: sold, charged by whom it names, where, how it is served, and seen of late."""

import json
from datetime import UTC, date, datetime

import polars as pl
import pytest

from assets.frames import under_contract
from assets.prices.consensus import consensus
from assets.prices.frontier import priced_models
from assets.prices.llm_prices import named, side_by_side
from assets.prices.market_split import with_tiers
from assets.prices.promises import not_stated, sold_no_more
from assets.prices.retirement import retirements, still_sold
from schemas.base import polars_schema
from schemas.prices.capability import Capability
from schemas.prices.llm_prices import LlmPrice, LlmPriceCurrent, LlmPriceWide
from schemas.prices.models import Model
from schemas.prices.retirement import ModelRetirement
from sources.prices.genai_prices import parse_models, retired_on
from sources.prices.litellm import parse_models as parse_litellm_models
from sources.prices.litellm import parse_prices as parse_litellm
from sources.source import Snapshot, content_hash

TODAY = date(2026, 11, 23)
AT = datetime(2026, 11, 23, tzinfo=UTC)


def price(model: str, usd: float, **changes: object) -> dict[str, object]:
    """One row of a history of today: litellm says that OpenAI asks this for a million input tokens."""
    return {
        "source": "litellm",
        "source_provider": "openai",
        "source_model": model,
        "leg": "input",
        "tier_min_tokens": 0,
        "variant": "standard",
        "price_window": "always",
        "usd_per_mtok": usd,
        "valid_from": date(2026, 1, 1),
        "date_basis": "import",
        "observed_at": AT,
        "evidence_on": TODAY,
        "status": "believed",
    } | changes


def both(model: str, usd: float, **changes: object) -> list[dict[str, object]]:
    return [price(model, usd, **changes), price(model, 4 * usd, **changes, leg="output")]


def history(*rows: dict[str, object]) -> pl.DataFrame:
    said = pl.DataFrame(list(rows), schema=polars_schema(LlmPrice))
    return named(said).select(list(polars_schema(LlmPrice)))


def current(*rows: dict[str, object]) -> pl.DataFrame:
    frame = consensus(history(*rows), day=TODAY)
    LlmPriceCurrent.validate(frame, lazy=True)
    return frame


def models(**open_weights: bool | None) -> pl.DataFrame:
    rows = [{"model": name.replace("_", "-"), "open_weights": known} for name, known in open_weights.items()]
    return pl.DataFrame(rows, schema=polars_schema(Model))


class TestSoldOrNot:
    def ends(self, *rows: dict[str, object], closed: bool = True) -> dict[tuple[str, str], tuple[date, str]]:
        prices = history(*rows)
        frame = retirements(prices, models(**{"gpt_4": not closed, "llama_3.1_8b": not closed}))
        ModelRetirement.validate(frame, lazy=True)
        return {(row["provider"], row["model"]): (row["retired_on"], row["basis"]) for row in frame.to_dicts()}

    def test_model_is_retired_where_every_route_of_a_source_has_an_end(self):
        june, july = date(2026, 6, 1), date(2026, 7, 1)
        assert self.ends(price("gpt-4", 30.0, deprecated_on=june), price("gpt-4-0613", 30.0, deprecated_on=july)) == {
            ("openai", "gpt-4"): (july, "stated")
        }
        assert self.ends(price("gpt-4", 30.0), price("gpt-4-0613", 30.0, deprecated_on=july)) == {}

    def test_undated_import_of_another_source_revives_nothing(self):
        rows = [
            price("gpt-4", 30.0, source="llm_price_seed", valid_from=date(2023, 3, 14), valid_to=date(2026, 3, 1)),
            price("gpt-4", 30.0, source="genai_prices"),
        ]
        assert self.ends(*rows) == {("openai", "gpt-4"): (date(2026, 3, 1), "seed_end")}

    def test_price_that_the_vendor_dates_later_takes_the_day_back(self):
        rows = [
            price("gpt-4", 30.0, deprecated_on=date(2026, 3, 1)),
            price("gpt-4", 20.0, source="genai_prices", valid_from=date(2026, 9, 1), date_basis="vendor"),
        ]
        assert self.ends(*rows) == {}

    def test_closed_model_is_gone_everywhere_with_its_vendor_and_open_weights_live_on(self):
        rows = [
            price("gpt-4", 30.0, deprecated_on=date(2026, 3, 1)),
            price("azure/gpt-4", 30.0, source_provider="azure", deprecated_on=date(2026, 9, 1)),
            price("openai/gpt-4", 30.0, source_provider="openrouter"),
        ]
        assert self.ends(*rows) == {
            ("openai", "gpt-4"): (date(2026, 3, 1), "stated"),
            ("azure", "gpt-4"): (date(2026, 9, 1), "stated"),
            ("openrouter", "gpt-4"): (date(2026, 3, 1), "vendor_retired"),
        }
        assert ("openrouter", "gpt-4") not in self.ends(*rows, closed=False)

    def test_model_that_every_source_left_out_is_retired_from_that_day(self):
        gone = date(2026, 8, 1)
        assert self.ends(price("gpt-4", 30.0, valid_to=gone, end_confirmed_on=date(2026, 8, 2))) == {
            ("openai", "gpt-4"): (gone, "left_out")
        }

    def test_retired_model_has_a_price_until_its_last_day_and_none_after(self):
        prices = history(*both("gpt-4", 30.0, deprecated_on=TODAY))
        ends = retirements(prices, models())
        for day, left in ((date(2026, 11, 22), 2), (TODAY, 0), (date(2026, 12, 1), 0)):
            assert still_sold(prices, ends, pl.lit(day)).height == left

    @pytest.mark.parametrize(
        ("comment", "deprecated", "day"),
        [
            ("Retired 2026-04-04 per the docs; last published price kept.", True, date(2026, 4, 4)),
            ("Retired on 2025-06-16; retained for historical usage.", False, date(2025, 6, 16)),
            ("14.286 input. Retires on 2026-10-30.", True, date(2026, 10, 30)),
            ('Deprecated. The page announces "(DEPRECATED - shut down Oct 2, 2026); migrate".', True, date(2026, 10, 2)),
            ("No longer listed in the docs (checked 2026-07-17 and 2026-08-27).", True, date(2026, 7, 17)),
            ("Deprecated by Cerebras on 2026-08-17 (see the log) and no longer in the catalog.", True, date(2026, 8, 17)),
            ("Deprecated 2025-09-15; still billable for existing customers.", True, None),
            ("Cache writes cost 2x. The 1M context beta was retired on 2026-04-30.", False, None),
            ("", True, None),
        ],
    )
    def test_comments_say_on_which_day_a_model_is_gone(self, comment: str, deprecated: bool, day: date | None):
        assert retired_on(comment, deprecated=deprecated) == day


class TestFirstParty:
    def test_quote_that_its_source_copied_from_a_router_is_not_the_vendors(self):
        imported = "Imported from OpenRouter pricing; verify against OpenAI pricing when native API pricing is published."
        document = [
            {"id": "openai", "models": [{"id": "gpt-oss-120b", "price_comments": imported, "prices": {"input_mtok": 1}}]}
        ]
        body = json.dumps(document).encode()
        said = parse_models(Snapshot("genai_prices", body, content_hash(body), "http", "u", AT)).accepted
        assert said["imported_from"].to_list() == ["openrouter"]
        rows = [
            *both("gpt-oss-120b", 0.039, source="genai_prices", imported_from="openrouter"),
            *both("openai/gpt-oss-120b", 0.15, source_provider="groq"),
        ]
        (priced,) = priced_models(current(*rows)).to_dicts()
        assert (priced["input_usd_per_mtok"], priced["price_basis"], priced["n_providers"]) == (0.15, "median_of_hosts", 1)

    def test_price_of_open_weights_that_equals_a_routers_to_the_digit_is_a_copy(self):
        router = both("openai/gpt-oss-120b", 0.039, source="openrouter", source_provider="openrouter")
        copied = current(*router, *both("gpt-oss-120b", 0.039))
        assert not copied.filter(provider="openai")["first_party"].any()
        own = current(*router, *both("gpt-oss-120b", 0.05))
        assert own.filter(provider="openai")["first_party"].all()
        stated_twice = current(*router, *both("gpt-oss-120b", 0.039), *both("gpt-oss-120b", 0.039, source="genai_prices"))
        assert stated_twice.filter(provider="openai")["first_party"].all()


class TestRegionsVariantsAndSellers:
    AZURE = {
        name: {"litellm_provider": "azure", "mode": "chat", "input_cost_per_token": usd}
        for name, usd in {
            "azure/gpt-5": 1.25e-6,
            "azure/gpt-5-2025-08-07": 1.25e-6,
            "azure/eu/gpt-5-2025-08-07": 1.375e-6,
            "azure/us/gpt-5-2025-08-07": 1.375e-6,
            "azure/eu/gpt-5": 1.375e-6,
        }.items()
    }

    def test_global_price_is_not_outvoted_by_regions_and_the_spread_is_kept(self):
        body = json.dumps(self.AZURE).encode()
        snapshot = Snapshot("litellm", body, content_hash(body), "http", "u", AT)
        said = parse_litellm(snapshot).accepted
        assert parse_litellm_models(snapshot).accepted["mode"].unique().to_list() == ["chat"]
        rows = said.select("source_provider", "source_model", "usd_per_mtok").to_dicts()
        (row,) = current(*(price(**{"model": "", "usd": 0} | {}) | each for each in rows)).to_dicts()
        assert (row["usd_per_mtok"], row["region"]) == (1.25, "global")
        assert (row["region_low_usd_per_mtok"], row["region_high_usd_per_mtok"]) == (1.25, 1.375)

    @pytest.mark.parametrize(
        ("seller", "route", "region"),
        [
            ("azure", "azure/eu/gpt-5", "eu"),
            ("azure", "azure/global-standard/gpt-4o", "global"),
            ("bedrock", "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "gov"),
            ("bedrock", "bedrock/us-gov-west-1/anthropic.claude-3-haiku-20240307-v1:0", "gov"),
            ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "us"),
            ("bedrock", "bedrock/ap-northeast-1/anthropic.claude-v2:1", "jp"),
            ("bedrock", "apac.anthropic.claude-sonnet-4-20250514-v1:0", "apac"),
            ("aws", "regional.anthropic.claude-sonnet-4-5", "regional"),
            ("openai", "gpt-5", "global"),
        ],
    )
    def test_region_stands_in_the_id(self, seller: str, route: str, region: str):
        assert history(price(route, 1.0, source_provider=seller))["region"].item() == region

    @pytest.mark.parametrize(
        ("seller", "route", "model", "variant", "region"),
        [
            ("openrouter", "openai/gpt-4.1-mini:batch", "gpt-4.1-mini", "batch", "global"),
            ("anthropic", "fast/claude-opus-4-6", "claude-opus-4.6", "fast", "global"),
            ("anthropic", "us/claude-opus-4-6", "claude-opus-4.6", "standard", "us"),
            ("minimax", "MiniMax-M2.5-highspeed", "minimax-m2.5", "fast", "global"),
            ("fireworks_ai", "kimi-k3-us", "kimi-k3", "standard", "us"),
            ("xai", "grok-4-fast", "grok-4-fast", "standard", "global"),
        ],
    )
    def test_batch_fast_and_residency_are_ways_to_be_served_and_no_models(
        self, seller: str, route: str, model: str, variant: str, region: str
    ):
        (row,) = history(price(route, 1.0, source_provider=seller)).to_dicts()
        assert (row["model"], row["variant"], row["region"]) == (model, variant, region)

    def test_thresholds_a_token_apart_are_one_tier(self):
        rows = [price("gpt-5", 2.0, tier_min_tokens=199_999), price("gpt-5", 2.0, tier_min_tokens=200_000, source="models_dev")]
        assert current(*rows).select("tier_min_tokens", "n_sources").rows() == [(200_000, 2)]

    def test_routers_count_neither_as_sellers_nor_in_medians_unless_they_are_alone(self):
        hosts = [
            row
            for seller, usd in (("groq", 1.0), ("together_ai", 3.0), ("openrouter", 0.1), ("huggingface-novita", 0.1))
            for row in both("meta-llama/llama-3.1-8b-instruct", usd, source_provider=seller)
        ]
        (priced,) = priced_models(current(*hosts)).to_dicts()
        assert (priced["input_usd_per_mtok"], priced["n_providers"], priced["price_basis"]) == (2.0, 2, "median_of_hosts")
        (alone,) = priced_models(current(*hosts[4:])).to_dicts()
        assert (alone["input_usd_per_mtok"], alone["n_providers"], alone["price_basis"]) == (0.1, 0, "median_of_routers")

    def test_closed_seller_has_no_price_of_today(self):
        closed = both("meta-llama/llama-3.1-8b-instruct", 1.0, source_provider="anyscale")
        assert priced_models(current(*closed)).is_empty()

    def test_seller_far_from_its_peers_is_marked(self):
        sellers = {"groq": 0.12, "deepinfra": 0.1, "together_ai": 0.14, "gmi": 5.0}
        rows = [price("meta-llama/llama-3.1-8b-instruct", usd, source_provider=seller) for seller, usd in sellers.items()]
        assert current(*rows).filter("is_far_from_peers")["provider"].to_list() == ["gmi"]


class TestSeed:
    def test_dated_document_is_believed_before_one_source_that_dates_nothing(self):
        seed = {"source": "llm_price_seed", "date_basis": "vendor"}
        (row,) = current(price("deepseek-chat", 0.28, **seed), price("deepseek-chat", 0.27, source="genai_prices")).to_dicts()
        assert (row["usd_per_mtok"], row["price_source"]) == (0.28, "llm_price_seed")
        two = [price("deepseek-chat", 0.27, source="genai_prices"), price("deepseek-chat", 0.27)]
        assert current(price("deepseek-chat", 0.28, **seed), *two)["usd_per_mtok"].to_list() == [0.27]
        dated = price("deepseek-chat", 0.27, date_basis="observed")
        assert current(price("deepseek-chat", 0.28, **seed), dated)["usd_per_mtok"].to_list() == [0.27]


class TestFreshness:
    def test_evidence_of_may_is_shown_and_does_not_vote_in_november(self):
        may = {"evidence_on": date(2026, 5, 15)}
        (row,) = current(
            price("gpt-5", 1.0, source="genai_prices", **may),
            price("gpt-5", 1.0, source="models_dev", **may),
            price("gpt-5", 2.0),
        ).to_dicts()
        assert (row["usd_per_mtok"], row["n_sources"], row["decided_by"]) == (2.0, 1, "only_source")
        assert json.loads(row["quotes"]) == {"genai_prices": 1.0, "models_dev": 1.0, "litellm": 2.0}
        assert (row["evidence_on"], row["age_days"], row["is_stale"]) == (TODAY, 0, False)

    def test_price_that_only_old_evidence_states_is_marked_stale(self):
        (row,) = current(price("gpt-5", 1.0, evidence_on=date(2026, 5, 15))).to_dicts()
        assert (row["age_days"], row["is_stale"]) == (192, True)

    def test_frontier_carries_the_oldest_and_the_newest_evidence(self):
        rows = [price("gpt-5", 1.0, evidence_on=date(2026, 11, 1)), price("gpt-5", 4.0, leg="output")]
        (priced,) = priced_models(current(*rows)).to_dicts()
        assert (priced["oldest_evidence_on"], priced["is_stale"]) == (date(2026, 11, 1), False)


class TestPromises:
    """The asset checks find what they promise to find."""

    def test_row_after_the_last_day_of_sale_is_named(self):
        prices = history(*both("gpt-4", 30.0, deprecated_on=date(2026, 3, 1)))
        ends = retirements(prices, models())
        rows = pl.DataFrame({"model": ["gpt-4", "gpt-4", "gpt-5"], "as_of": [date(2026, 2, 28), date(2026, 3, 1), TODAY]})
        assert sold_no_more(rows, ends, prices) == ["gpt-4 on 2026-03-01, retired on 2026-03-01"]
        assert (
            sold_no_more(rows, ends, pl.concat([prices, history(price("openai/gpt-4", 30.0, source_provider="azure"))])) == []
        )

    def test_pair_that_no_source_states_is_named(self):
        rows = [*both("gpt-5", 1.0), *both("gpt-5", 2.0, source="genai_prices")]
        wide, held = side_by_side(current(*rows)), history(*rows)
        assert not_stated(wide, held) == []
        mixed = wide.with_columns(output_usd_per_mtok=pl.when(pl.col("source") == "litellm").then(8.0).otherwise(4.0))
        assert not_stated(mixed, held) == [f"openai gpt-5: standard output by {wide['source'].item()}"]


def test_unclassified_model_says_what_is_not_known_of_it():
    priced = priced_models(current(*both("gpt-5", 1.0), *both("gpt-4.1-mini", 2.0))).with_columns(as_of=pl.lit(TODAY))
    known = pl.DataFrame(
        [{"model": "gpt-5", "open_weights": False, "reasoning": None}, {"model": "gpt-4.1-mini", "open_weights": None}],
        schema=polars_schema(Model),
    )
    scores = under_contract(Capability, pl.DataFrame({"model": ["gpt-5"], "score": [150.0], "as_of": [TODAY]}))
    found = {row["model"]: row["unclassified_because"] for row in with_tiers(priced, scores, known).to_dicts()}
    assert found == {"gpt-5": "reasoning not known", "gpt-4.1-mini": "no score, reasoning not known, weights not known"}


class TestSideBySide:
    def wide(self, *rows: dict[str, object]) -> list[dict[str, object]]:
        frame = side_by_side(current(*rows))
        LlmPriceWide.validate(frame, lazy=True)
        return frame.to_dicts()

    def test_all_legs_of_a_row_come_from_one_source(self):
        """One source gives .28/.42, another .56/1.10: .28/1.10 is stated by nobody."""
        chat = "deepseek-v3.2"
        rows = [
            price(chat, 0.28, source_provider="deepseek"),
            price(chat, 0.42, source_provider="deepseek", leg="output"),
            price(chat, 1.10, source_provider="deepseek", leg="output", source="genai_prices"),
        ]
        (row,) = self.wide(*rows)
        assert (row["source"], row["input_usd_per_mtok"], row["output_usd_per_mtok"]) == ("litellm", 0.28, 0.42)

    def test_fresh_price_for_all_hours_beats_a_stale_peak_price(self):
        stale = {"source": "genai_prices", "evidence_on": date(2026, 5, 15)}
        rows = [*both("gpt-5", 1.0), *both("gpt-5", 0.5, **stale), *both("gpt-5", 2.0, **stale, price_window="01:00-04:00")]
        (row,) = self.wide(*rows)
        assert (row["price_window"], row["input_usd_per_mtok"], row["source"]) == ("always", 1.0, "litellm")

    def test_source_without_windows_meets_the_window_whose_price_it_states(self):
        rows = [*both("gpt-5", 2.0), *both("gpt-5", 1.0, source="genai_prices")]
        rows += both("gpt-5", 2.0, source="genai_prices", price_window="01:00-04:00")
        (row,) = self.wide(*rows)
        assert (row["price_window"], row["input_usd_per_mtok"], row["n_sources"]) == ("peak", 2.0, 2)
