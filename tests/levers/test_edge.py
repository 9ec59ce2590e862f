"""Edge silicon: ceilings that measured rates respect, and break-even use that is a root of its own cost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from economics.levers.edge import (
    amortised_usd_per_hour,
    break_even_utilisation,
    ceiling_tokens_per_s,
    device_usd_per_hour,
    usd_per_mtok,
)

LIFE_HOURS = 3 * 8760.0


def test_ceiling_of_an_8b_model_at_4_bits() -> None:
    """RTX 4090, 1,008 GB/s, 8.03e9 weights at .56 bytes: 224 tokens/s; 100 to 130 are measured."""
    ceiling = ceiling_tokens_per_s(memory_bytes_per_s=1.008e12, weight_bytes=8.03e9 * 0.56)
    assert ceiling == pytest.approx(224.2, abs=0.1)
    assert ceiling > 130.0
    assert ceiling_tokens_per_s(memory_bytes_per_s=1.008e12, weight_bytes=8.03e9 * 0.56, kv_bytes=1e9) < ceiling


@pytest.mark.parametrize(("bandwidth", "fp16_ms"), [(1.008e12, 17.07), (204.8e9, 96.0)])
def test_published_16_bit_steps_are_slower_than_their_ceiling(bandwidth: float, fp16_ms: float) -> None:
    """TinyChat, Llama-3-8B: 59 tokens/s of 63 on the RTX 4090, 10.4 of 12.8 on the Orin."""
    ceiling = ceiling_tokens_per_s(memory_bytes_per_s=bandwidth, weight_bytes=16.06e9)
    assert 0.8 < 1000.0 / fp16_ms / ceiling < 1.0


def test_a_device_that_is_always_used_costs_its_price_and_its_electricity() -> None:
    hourly = device_usd_per_hour(device_usd=1599.0, life_hours=LIFE_HOURS, utilisation=1.0, watts=450.0, usd_per_kwh=0.15)
    assert hourly == pytest.approx(1599.0 / 26280.0 + 0.0675)
    assert amortised_usd_per_hour(device_usd=1599.0, life_hours=LIFE_HOURS, utilisation=0.1) == pytest.approx(0.6084, abs=1e-4)
    assert usd_per_mtok(usd_per_hour=3.6, tokens_per_s=1000.0) == pytest.approx(1.0)


@given(
    st.floats(10.0, 1e4),
    st.floats(1.0, 600.0),
    st.floats(0.0, 0.5),
    st.floats(1.0, 5000.0),
    st.floats(0.01, 20.0),
)
def test_at_break_even_the_device_costs_as_much_as_the_api(
    device_usd: float, watts: float, usd_per_kwh: float, rate: float, api: float
) -> None:
    needed = break_even_utilisation(
        device_usd=device_usd,
        life_hours=LIFE_HOURS,
        watts=watts,
        usd_per_kwh=usd_per_kwh,
        tokens_per_s=rate,
        api_usd_per_mtok=api,
    )

    def cost(utilisation: float) -> float:
        hourly = device_usd_per_hour(
            device_usd=device_usd, life_hours=LIFE_HOURS, utilisation=utilisation, watts=watts, usd_per_kwh=usd_per_kwh
        )
        return float(usd_per_mtok(usd_per_hour=hourly, tokens_per_s=rate))

    if np.isnan(needed):
        assert cost(1.0) > api * (1.0 - 1e-9)
    else:
        assert cost(float(needed)) == pytest.approx(api, rel=1e-6)


def test_electricity_dearer_than_the_api_never_breaks_even() -> None:
    """An RTX 4090 for one user at .15 $/kWh burns .11 $ a million tokens; a host sells them for .05."""
    never = break_even_utilisation(
        device_usd=0.0, life_hours=LIFE_HOURS, watts=450.0, usd_per_kwh=0.15, tokens_per_s=174.0, api_usd_per_mtok=0.05
    )
    assert np.isnan(never)


def test_use_is_a_share() -> None:
    with pytest.raises(ValueError, match="utilisation"):
        amortised_usd_per_hour(device_usd=1.0, life_hours=1.0, utilisation=0.0)
