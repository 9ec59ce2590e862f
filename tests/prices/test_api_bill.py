"""What an API charges: each leg by hand, then what must never fall when a price or a length rises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from economics.prices.api_bill import Legs, bill_usd, billed_output_tokens, request_usd

LEGS = Legs(
    input_usd_per_mtok=3.0,
    output_usd_per_mtok=15.0,
    cache_read_usd_per_mtok=0.3,
    cache_write_usd_per_mtok=3.75,
    batch_input_usd_per_mtok=1.5,
    batch_output_usd_per_mtok=7.5,
)
usd = st.floats(0.01, 100.0)
share = st.floats(0.0, 1.0)


def test_fresh_input_and_output():
    # 4,000 x $3/M + 500 x $15/M
    assert request_usd(legs=LEGS, input_tokens=4000, output_tokens=500) == pytest.approx(0.012 + 0.0075)


def test_cached_input_is_read_at_its_own_price():
    # 1,600 x $.3/M + 2,400 x $3/M + 500 x $15/M
    assert request_usd(legs=LEGS, input_tokens=4000, output_tokens=500, cached_share=0.4) == pytest.approx(
        0.00048 + 0.0072 + 0.0075
    )


def test_what_is_written_to_the_cache_costs_more():
    # Half of the 2,400 fresh tokens are written at $3.75/M.
    assert request_usd(legs=LEGS, input_tokens=4000, output_tokens=500, cached_share=0.4, written_share=0.5) == pytest.approx(
        0.00048 + 1200 * 3.75e-6 + 1200 * 3e-6 + 0.0075
    )


def test_a_seller_without_a_cache_price_charges_input():
    bare = Legs(input_usd_per_mtok=3.0, output_usd_per_mtok=15.0)
    plain = request_usd(legs=bare, input_tokens=4000, output_tokens=500)
    assert request_usd(legs=bare, input_tokens=4000, output_tokens=500, cached_share=0.9, batch_share=0.5) == pytest.approx(
        plain
    )


def test_a_batch_is_billed_whole():
    # A quarter at (4,000 x 1.5 + 500 x 7.5)/M = $.00975, the rest at $.0195.
    assert request_usd(legs=LEGS, input_tokens=4000, output_tokens=500, batch_share=0.25) == pytest.approx(
        0.25 * 0.00975 + 0.75 * 0.0195
    )


def test_nobody_sends_as_a_batch_what_a_warm_cache_serves_for_less():
    warm = request_usd(legs=LEGS, input_tokens=100_000, output_tokens=10, cached_share=1.0)
    assert request_usd(legs=LEGS, input_tokens=100_000, output_tokens=10, cached_share=1.0, batch_share=1.0) == warm


def test_another_model_thinks_more_for_the_same_answer():
    # 500 tokens of a model with R 1 are 500 visible ones, for which one with R 2.2 bills 1,100.
    assert billed_output_tokens(output_tokens=500, own_reasoning_factor=1.0, other_reasoning_factor=2.2) == pytest.approx(1100)


def test_a_minimum_is_charged_where_less_is_used():
    assert list(bill_usd(usd_per_request=0.01, requests=np.array([0.0, 100, 1e5]), minimum_usd=50)) == [50, 50, 1000]


def test_an_unknown_price_is_no_bill():
    assert np.isnan(
        request_usd(legs=Legs(input_usd_per_mtok=np.nan, output_usd_per_mtok=1.0), input_tokens=10, output_tokens=1)
    )


@pytest.mark.parametrize("wrong", [{"cached_share": 1.1}, {"batch_share": -0.1}, {"input_tokens": -1.0}])
def test_what_is_outside_its_domain_is_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        request_usd(legs=LEGS, **{"input_tokens": 1.0, "output_tokens": 1.0} | wrong)
    with pytest.raises(ValueError, match="output_usd_per_mtok"):
        Legs(input_usd_per_mtok=1.0, output_usd_per_mtok=-1.0)


@given(usd, usd, share, share, share, share)
def test_more_of_the_prompt_in_cache_never_costs_more(price, read, less, more, batch, written):
    less, more = sorted((less, more))
    legs = Legs(input_usd_per_mtok=price, output_usd_per_mtok=1.0, cache_read_usd_per_mtok=min(read, price))
    cost = [
        request_usd(legs=legs, input_tokens=4000, output_tokens=500, cached_share=hit, batch_share=batch, written_share=written)
        for hit in (less, more)
    ]
    assert cost[1] <= cost[0] * (1 + 1e-12)


@given(usd, usd, share, share)
def test_a_higher_price_never_costs_less(price, more, hit, batch):
    price, more = sorted((price, more))
    for leg in Legs.__dataclass_fields__:
        base = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 1.0}
        low, high = (
            request_usd(
                legs=Legs(**base | {leg: at}),
                input_tokens=4000,
                output_tokens=500,
                cached_share=hit,
                batch_share=batch,
                written_share=0.5,
            )
            for at in (price, more)
        )
        assert low <= high * (1 + 1e-12)
