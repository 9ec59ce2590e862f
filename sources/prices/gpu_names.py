"""Canonical GPU names: which GPU a seller means by what he writes.

The names are data, in two tables. `seeds/gpu_name.csv`: names of GPUs, one row per variant that the name can mean.
`seeds/gpu_instance.csv`: instance types whose GPU is documented elsewhere than in their name. A GPU is named only where one
variant fits all that is said: "H100" alone may be SXM or PCIe, so its family is known and its canonical name is not.

Prices ask `resolve`: a rent counts for no GPU where the name leaves it open. People and benchmark tools ask `named`: what they
leave open is taken for the usual variant, and said to be.
"""

import csv
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from sources.document import SEEDS

NOT_A_GPU = ("tpu", "trainium", "inferentia", "gaudi")
"""Accelerators that catalogues list beside GPUs; their hours cannot be compared."""
SAME_MEMORY = 0.15
"""Published memory is off by up to this share: 79.6 or 80 for 80, 186 or 192 for GB200, 256 or 288 for MI325X."""
FRACTION = 0.6
"""Less memory than this share of the smallest variant is a slice of a GPU."""

HINT_SEPARATOR = "|"
"""Parts the texts of one hint."""

_FILLER = {
    "nvidia",
    "amd",
    "tesla",
    "geforce",
    "instinct",
    "intel",
    "habana",
    "google",
    "cloud",
    "aws",
    "huawei",
    "gpu",
    "tensor",
    "core",
}
_MEMORY = re.compile(r"(\d{2,3})g(?:i?b)?")
_FORM = re.compile(r"(sxm|pcie|oam)\d?")
_SPACED_MEMORY = re.compile(r"(\d)\s+(?=gi?b\b)")
_SEVERAL = re.compile(r"\(x\d+\)|,")
_WORDS_BESIDE_THE_NAME = re.compile(r"(?<![a-z0-9])(virtualized|hbm\d[a-z]?)(?![a-z0-9])", re.IGNORECASE)
_FORM_IN_INSTANCE = re.compile(r"(?<![a-z])(sxm|pcie)\d?(?![a-wyz0-9]|x(?!\d))")
"""A form factor, alone or with the count of GPUs behind it, as in sxm5x2."""


@dataclass(frozen=True)
class Variant:
    """One GPU that a name can mean."""

    family: str
    form_factor: str
    memory_gb: float
    gpu: str
    rank: int | None = None
    """Place in the order in which a name that leaves the product open is taken for it; None for one it is not taken for."""


@dataclass(frozen=True)
class Instance:
    """What is documented of an instance type; None where it is not."""

    cloud: str
    pattern: str
    source_gpu: str | None
    gpu_count: int | None
    gpu_memory_gb: float | None
    form_factor: str | None


@dataclass(frozen=True)
class Gpu:
    """What is known of the GPU of an offer."""

    family: str | None = None
    gpu: str | None = None
    form_factor: str | None = None
    is_fraction: bool = False


@dataclass(frozen=True)
class Named:
    """The GPU that somebody means by a name, how that is known, and every GPU the name can mean, the usual one first."""

    gpu: str | None = None
    basis: str | None = None
    can_mean: tuple[str, ...] = ()


@cache
def variants() -> dict[str, tuple[Variant, ...]]:
    """Variants by name, from `seeds/gpu_name.csv`. Names are lower case without punctuation, form factor or memory."""
    found: dict[str, tuple[Variant, ...]] = {}
    for row in _rows("gpu_name.csv"):
        rank = int(row["usual"]) if row["usual"] else None
        variant = Variant(row["family"], row["form_factor"], float(row["memory_gb"]), row["gpu"], rank)
        found[row["alias"]] = (*found.get(row["alias"], ()), variant)
    return found


@cache
def instances() -> tuple[Instance, ...]:
    """Documented instance types, from `seeds/gpu_instance.csv`; `pattern` is a regular expression."""
    return tuple(
        Instance(
            row["cloud"],
            row["instance"],
            row["source_gpu"] or None,
            int(row["gpu_count"]) if row["gpu_count"] else None,
            float(row["gpu_memory_gb"]) if row["gpu_memory_gb"] else None,
            row["form_factor"] or None,
        )
        for row in _rows("gpu_instance.csv")
    )


def is_not_a_gpu(source_gpu: str) -> bool:
    """Whether a name is that of a TPU or another accelerator that is not a GPU."""
    return source_gpu.lower().startswith(NOT_A_GPU)


def resolve(source_gpu: str, instance: str | None = None, memory_gb: float | None = None) -> Gpu:
    """Find the canonical GPU of an offer.

    `source_gpu`: the name as written. `instance`: texts parted by `HINT_SEPARATOR` that may say the form factor.
    `memory_gb`: published memory of one GPU. What the name says comes before what the instance says. Returns a Gpu whose
    `gpu` is None where no variant or more than one fits, and whose `family` is None where the name is unknown.
    """
    form_factor, memory, name = _read(source_gpu)
    known = variants().get(name)
    if known is None:
        return Gpu(form_factor=form_factor)
    family = known[0].family
    form_factor = form_factor or _form_in_instance(instance or "")
    fitting = _fitting(known, form_factor, memory or memory_gb)
    smallest = min(variant.memory_gb for variant in known)
    is_fraction = memory_gb is not None and memory_gb < FRACTION * smallest
    if len(fitting) != 1:
        forms = {variant.form_factor for variant in fitting}
        return Gpu(family, None, form_factor or (forms.pop() if len(forms) == 1 else None), is_fraction)
    return Gpu(family, fitting[0].gpu, fitting[0].form_factor, is_fraction)


@cache
def named(written: str | None) -> Named:
    """The GPU that a person or a benchmark tool means by a name.

    `basis`: named, where only one GPU fits; usual, where the name leaves the product open and the usual one is taken. A name
    that is unknown or lists several GPUs means none. The kind of memory is dropped only after the name with it is unknown:
    "H100 HBM3" is the SXM part.
    """
    if written is None or _SEVERAL.search(written):
        return Named()
    for words in (written, _WORDS_BESIDE_THE_NAME.sub(" ", written)):
        form_factor, memory, name = _read(words)
        fitting = _fitting(variants().get(name, ()), form_factor, memory)
        if fitting:
            break
    else:
        return Named()
    fitting = [variant for variant in fitting if variant.gpu == written.lower()] or fitting
    if len(fitting) == 1:
        return Named(fitting[0].gpu, "named", (fitting[0].gpu,))
    ranked = sorted(fitting, key=lambda variant: (variant.rank is None, variant.rank or 0))
    gpus = tuple(variant.gpu for variant in ranked)
    if ranked[0].rank is None:
        return Named(can_mean=gpus)
    return Named(gpus[0], "usual", gpus)


def near(written: str, among: Iterable[str]) -> list[str]:
    """Names of `among` that a misspelt one may mean, the likeliest first: "did you mean"."""
    wanted = "".join(re.findall(r"[a-z0-9]+", written.lower()))
    spelled = {"".join(re.findall(r"[a-z0-9]+", name.lower())): name for name in sorted(among)}
    return [spelled[key] for key in difflib.get_close_matches(wanted, spelled, n=3, cutoff=0.6)]


def _read(source_gpu: str) -> tuple[str | None, float | None, str]:
    """Form factor, memory in GB and what is left of a GPU's name."""
    form_factor, memory, rest = None, None, []
    for part in re.split(r"[^a-z0-9]+", _SPACED_MEMORY.sub(r"\1", source_gpu.lower())):
        if form := _FORM.fullmatch(part):
            form_factor = form[1]
        elif size := _MEMORY.fullmatch(part):
            memory = float(size[1])
        elif part not in _FILLER:
            rest.append(part)
    return form_factor, memory, "".join(rest)


def _fitting(known: Iterable[Variant], form_factor: str | None, memory_gb: float | None) -> list[Variant]:
    """Variants of a name that have the form factor and the memory that are said."""
    fitting = [variant for variant in known if form_factor in (None, variant.form_factor)]
    if memory_gb and fitting:
        nearest = min(_distance(variant, memory_gb) for variant in fitting)
        fitting = [variant for variant in fitting if _distance(variant, memory_gb) == nearest <= SAME_MEMORY]
    return fitting


def _form_in_instance(instance: str) -> str | None:
    """Form factor that instance types tell: documented, written out, or told by a GPU's name such as H100-80GB-HBM3."""
    found = set(_FORM_IN_INSTANCE.findall(instance.lower()))
    for part in instance.split(HINT_SEPARATOR):
        found |= {known.form_factor for known in instances() if re.fullmatch(known.pattern, part)}
        forms = {variant.form_factor for variant in variants().get(_read(part)[2], ())}
        found |= forms if len(forms) == 1 else set()
    found -= {None}
    return found.pop() if len(found) == 1 else None


def _distance(variant: Variant, memory_gb: float) -> float:
    return abs(variant.memory_gb - memory_gb) / variant.memory_gb


def _rows(name: str) -> list[dict[str, str]]:
    with (SEEDS / name).open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
