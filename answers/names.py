"""Names that people type, as the keys of the warehouse: a GPU or a model by any of its spellings, or "did you mean"."""

from collections.abc import Iterable
from typing import NamedTuple

from sources.prices.gpu_names import named, near
from sources.prices.model_spelling import meaning, spellings


class Meant(NamedTuple):
    """The key that a name stands for, and what a reader must know of how it was taken; None where nothing is."""

    key: str
    note: str | None = None


class UnknownNameError(ValueError):
    """A name that stands for nothing known; the message names the nearest. The command exits with 2."""

    code = 2


def gpu_meant(written: str, known: Iterable[str]) -> Meant:
    """The GPU that a name means, of those known. Raises UnknownNameError, with what may be meant, for any other name."""
    keys = sorted(known)
    if written in keys:
        return Meant(written)
    found = named(written)
    there = [gpu for gpu in found.can_mean if gpu in keys]
    if found.gpu in keys:
        others = [gpu for gpu in there if gpu != found.gpu]
        return Meant(str(found.gpu), taken_for(written, str(found.gpu), others) if found.basis == "usual" else None)
    if found.gpu is not None and not there:
        raise UnknownNameError(f"no figures are known for {found.gpu}; known are {', '.join(keys)}")
    raise UnknownNameError(unknown("gpu", written, there or near(written, keys), keys))


def model_meant(written: str, known: Iterable[str]) -> Meant:
    """The model that a name means, of those known. Raises UnknownNameError, with what may be meant, for any other name."""
    keys = sorted(known)
    if written in keys:
        return Meant(written)
    model = meaning(written)
    if model in keys:
        return Meant(str(model))
    if model is not None:
        raise UnknownNameError(f"no shape is known for {model}: {unknown('model', written, near(model, keys), keys)}")
    raise UnknownNameError(unknown("model", written, near(spellings(written)[-1], keys), keys))


def taken_for(written: str, key: str, others: Iterable[str]) -> str:
    """In words, that a name leaves something open and what it was taken for."""
    rest = ", ".join(others)
    return f"{written} is taken for {key}" + (f", the usual one; {rest} can be meant too" if rest else "")


def not_known(kind: str, written: str, known: Iterable[str], *, listed_by: str) -> UnknownNameError:
    """The refusal of a name that none of the known ones is, with those that come near; `listed_by` is the command for all."""
    close = " or ".join(near(written, known))
    return UnknownNameError(
        f"unknown {kind} {written}: " + (f"did you mean {close}? " if close else "") + f"`{listed_by}` lists all"
    )


def unknown(kind: str, written: str, nearest: Iterable[str], known: Iterable[str]) -> str:
    """In words, that a name is not known: the nearest names, else all."""
    close = " or ".join(nearest)
    return f"unknown {kind} {written}: " + (f"did you mean {close}?" if close else f"known are {', '.join(known)}")
