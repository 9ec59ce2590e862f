"""Canonical GPU names: what one name can mean, and what has to be said before it means one GPU."""

import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.evidence.published import gpus_of
from schemas.prices.gpu_rents import FORM_FACTORS
from sources.prices.gpu_names import SAME_MEMORY, Gpu, Named, instances, is_not_a_gpu, named, near, resolve, variants
from sources.prices.gpu_offers import add_gpu
from tests.evidence.test_published_figures import CITED

ALL = [variant for known in variants().values() for variant in known]


@pytest.mark.parametrize(
    ("source_gpu", "instance", "memory_gb", "gpu"),
    [
        ("H100", "gpu-h100-sxm_8gpu-128vcpu-1600gb", 80, "h100-sxm"),
        ("H100", "lambdalabs__8xH100_80GB__208__1800|gpu_8x_h100_sxm5", 80, "h100-sxm"),
        ("H100", "gpu_1x_h100_pcie", 80, "h100-pcie"),
        ("H100", "NVIDIA H100 80GB HBM3", 80, "h100-sxm"),
        ("H100", "1x-H100-75-722|NVIDIA-H100-80GB-HBM3", 81559 / 1024, "h100-sxm"),
        ("H100", "p5.48xlarge", 80, "h100-sxm"),
        ("H100", "p5.4xlarge", 80, "h100-sxm"),
        ("H100", "BM.GPU.H100.8", 80, "h100-sxm"),
        ("H100", "lambdalabs_H100-sxm5x2", 80, "h100-sxm"),
        ("A100-80GB", "crusoe_A100-80G-sxm4x8", 80, "a100-80gb-sxm"),
        ("A100", "denvr_A100-sxm4x8", 40, "a100-40gb-sxm"),
        ("H100", "8H100.80S.176V_SPOT", 80, "h100-sxm"),
        ("H100-80G-PCIe", None, None, "h100-pcie"),
        ("H100-80G-PCIe-NVLink", "n3-H100x8-NVLink", 80, "h100-pcie"),
        ("H100_80GB SXM5", None, None, "h100-sxm"),
        ("H100NVL", None, 94, "h100-nvl"),
        ("H100-MEGA", "a3-megagpu-8g", 80, "h100-sxm"),
        ("A100 PCIe", None, 80, "a100-80gb-pcie"),
        ("A100", "a2-highgpu-8g", 40, "a100-40gb-sxm"),
        ("A100", "p4d.24xlarge", 40, "a100-40gb-sxm"),
        ("A100-80GB", "p4de.24xlarge", 80, "a100-80gb-sxm"),
        ("A100-80GB", "n3-A100x1", 80, "a100-80gb-pcie"),
        ("A100-80GB-SXM", None, None, "a100-80gb-sxm"),
        ("H200", "a3-ultragpu-8g", 141, "h200-sxm"),
        ("H200NVL", None, 141, "h200-nvl"),
        ("B200", None, 180, "b200-sxm"),
        ("B300", "1B300.30V", 262, "b300-sxm"),
        ("GB200", "BM.GPU.GB200.4", 192, "gb200"),
        ("GB200 NVL72", None, 186, "gb200"),
        ("MI300X", None, 192, "mi300x"),
        ("MI325X", None, 288, "mi325x"),
        ("L40S", None, 45, "l40s"),
        ("RTX-6000-Ada", None, 48, "rtx-6000-ada"),
        ("RTX6000Ada", None, 48, "rtx-6000-ada"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", None, 96, "rtx-pro-6000"),
    ],
)
def test_one_gpu_is_meant(source_gpu: str, instance: str | None, memory_gb: float | None, gpu: str) -> None:
    assert resolve(source_gpu, instance, memory_gb).gpu == gpu


@pytest.mark.parametrize(
    ("source_gpu", "instance", "memory_gb", "known"),
    [
        ("H100", "BM.GPU.OTHER.8", 80, Gpu("h100")),
        ("H200", None, 141, Gpu("h200")),
        ("A100", "gpu_8x_a100", 40, Gpu("a100")),
        ("A100-SXM4", None, None, Gpu("a100", None, "sxm")),
        ("H100 PCIe", None, None, Gpu("h100", None, "pcie")),
        ("GH200", None, 144, Gpu("gh200")),
        ("V100", None, 16, Gpu("v100")),
        ("Radeon MI25", None, 16, Gpu()),
    ],
)
def test_an_unclear_name_keeps_its_family_and_gets_no_canonical_gpu(
    source_gpu: str, instance: str | None, memory_gb: float | None, known: Gpu
) -> None:
    assert resolve(source_gpu, instance, memory_gb) == known


@pytest.mark.parametrize(
    ("written", "gpu", "basis"),
    [
        ("H100", "h100-sxm", "usual"),
        ("h100-sxm5", "h100-sxm", "named"),
        ("H100 SXM5 80 GB", "h100-sxm", "named"),
        ("H100 PCIe", "h100-pcie", "usual"),
        ("NVIDIA H100 80GB HBM3", "h100-sxm", "named"),
        ("NVIDIA H100 Tensor Core GPU", "h100-sxm", "usual"),
        ("HGX H200", "h200-sxm", "named"),
        ("A100", "a100-80gb-sxm", "usual"),
        ("A100-SXM4-80GB", "a100-80gb-sxm", "named"),
        ("A100 40GB PCIe", "a100-40gb-pcie", "named"),
        ("NVIDIA B200", "b200-sxm", "named"),
        ("b200_sxm", "b200-sxm", "named"),
        ("B300", "b300-sxm", "named"),
        ("GB200", "gb200", "named"),
        ("GB200 NVL72", "gb200", "named"),
        ("MI355X", "mi355x", "named"),
        ("AMD_Instinct_MI355X_288GB_HBM3e", "mi355x", "named"),
        ("RTX 4090", "rtx-4090", "named"),
        ("GeForce RTX 5090", "rtx-5090", "named"),
        ("TPU v6e", "tpu-v6e", "named"),
        ("Google TPU v5e", "tpu-v5e", "named"),
        ("Trillium", "tpu-v6e", "named"),
        ("Trainium2", "trainium2", "named"),
        ("Intel Gaudi 3", "gaudi3", "named"),
        ("Huawei Ascend 910C", "ascend-910c", "named"),
        ("Voodoo 2", None, None),
        ("AMD Instinct MI300X 192GB HBM3 (x32), AMD Instinct MI325X 256GB HBM3e (x16)", None, None),
        (None, None, None),
    ],
)
def test_what_people_and_tools_write_means_one_gpu_and_says_how_surely(written: str | None, gpu: str, basis: str) -> None:
    found = named(written)
    assert (found.gpu, found.basis) == (gpu, basis)


def test_an_open_name_says_what_else_it_can_mean() -> None:
    assert named("H100") == Named("h100-sxm", "usual", ("h100-sxm", "h100-pcie", "h100-nvl"))


@pytest.mark.parametrize("gpu", gpus_of(CITED)["gpu"])
def test_every_accelerator_with_figures_is_known_by_its_own_name(gpu: str) -> None:
    assert (named(gpu).gpu, named(gpu.upper()).gpu, named(gpu).basis) == (gpu, gpu, "named")


def test_a_misspelt_gpu_has_near_ones() -> None:
    assert near("h10-sxm", gpus_of(CITED)["gpu"])[0] == "h100-sxm"
    assert near("Voodoo", gpus_of(CITED)["gpu"]) == []


def test_what_the_name_says_comes_before_what_the_instance_says() -> None:
    assert resolve("H100-80G-PCIe", "gpu_8x_h100_sxm5", 80).gpu == "h100-pcie"


def test_an_instance_that_says_two_forms_says_none() -> None:
    assert resolve("H100", "h100-sxm|h100-pcie", 80).gpu is None


def test_a_slice_of_a_gpu_is_told_by_its_memory() -> None:
    assert resolve("A10", "Standard_NV6ads_A10_v5", 4).is_fraction
    assert resolve("A100", None, 20).is_fraction
    assert not resolve("A100", None, 40).is_fraction
    assert not resolve("L40S", None, 45).is_fraction


def test_tpus_and_other_accelerators_are_not_gpus() -> None:
    assert all(is_not_a_gpu(name) for name in ("tpu-v5p-8", "Trainium", "Inferentia2", "Gaudi HL-205"))
    assert not is_not_a_gpu("T4")


def test_every_canonical_gpu_is_one_thing() -> None:
    facts = {(v.gpu, v.family, v.form_factor, v.memory_gb) for v in ALL}
    assert len({gpu for gpu, *_ in facts}) == len(facts)
    for gpu, family, form_factor, memory_gb in facts:
        assert gpu.startswith(family)
        assert form_factor in FORM_FACTORS
        assert memory_gb > 0


def test_the_gpus_this_project_prices_are_all_named() -> None:
    wanted = """h100-sxm h100-pcie h100-nvl h200-sxm b200-sxm b300-sxm gb200 gb300 a100-40gb-sxm a100-80gb-sxm
        a100-80gb-pcie l40s mi300x mi325x mi355x h800-sxm a40 gh200"""
    assert set(wanted.split()) <= {variant.gpu for variant in ALL}


def test_variants_of_a_name_can_be_told_apart() -> None:
    for name, known in variants().items():
        assert len({(v.form_factor, v.memory_gb) for v in known}) == len(known), name


@given(st.sampled_from(ALL), st.floats(-0.05, 0.05))
def test_form_factor_and_memory_together_name_the_gpu(variant: object, off: float) -> None:
    v = next(v for v in ALL if v == variant)
    alias = next(name for name, known in variants().items() if v in known)
    written = f"NVIDIA {alias.upper()}" + (f" {v.form_factor.upper()}" if v.form_factor in ("sxm", "pcie") else "")
    assert abs(off) < SAME_MEMORY
    assert resolve(written, None, v.memory_gb * (1 + off)).gpu == v.gpu


@given(st.text(max_size=30), st.none() | st.text(max_size=30), st.none() | st.floats(1, 400))
def test_any_text_is_answered(source_gpu: str, instance: str | None, memory_gb: float | None) -> None:
    answer = resolve(source_gpu, instance, memory_gb)
    assert answer.gpu is None or answer.gpu in {variant.gpu for variant in ALL}
    assert answer.gpu is None or answer.family is not None


def test_documented_instances_are_readable_and_name_known_gpus() -> None:
    for known in instances():
        re.compile(known.pattern)
        assert known.form_factor is None or known.form_factor in FORM_FACTORS
        if known.source_gpu is not None:
            named = resolve(known.source_gpu, known.pattern, known.gpu_memory_gb)
            assert named.family is not None, known


def test_instances_that_are_looked_up_by_name_are_literal() -> None:
    looked_up = [known for known in instances() if known.cloud in ("azure", "gcp")]
    assert all(re.fullmatch(r"[\w-]+", known.pattern) and known.gpu_count and known.source_gpu for known in looked_up)


def test_azure_instances_are_complete() -> None:
    azure = [known for known in instances() if known.cloud == "azure"]
    assert len({known.pattern for known in azure}) == len(azure) == 18
    for known in azure:
        assert known.gpu_count
        assert known.gpu_memory_gb
    unclear = {k.pattern for k in azure if resolve(k.source_gpu or "", k.pattern, k.gpu_memory_gb).gpu is None}
    assert unclear == {"Standard_NC6s_v3", "Standard_NC12s_v3", "Standard_NC24s_v3", "Standard_NC24rs_v3"}


def test_names_are_added_row_by_row_in_order() -> None:
    offers = pl.DataFrame(
        {
            "row": [0, 1, 2, 3],
            "source_gpu": ["H100", "H100", "Foo", "H100"],
            "instance_hint": [None, "x-sxm-y", None, None],
            "gpu_memory_gb": [80.0, 80.0, None, 80.0],
        }
    )
    named = add_gpu(offers)
    assert named["row"].to_list() == [0, 1, 2, 3]
    assert named["gpu"].to_list() == [None, "h100-sxm", None, None]
    assert named["gpu_family"].to_list() == ["h100", "h100", None, "h100"]
