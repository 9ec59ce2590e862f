"""Measure, on one GPU, what a prefill step and a decode step take, and what they draw.

A decoder-only transformer of a named model's shape with random 16-bit weights: prefill against prompt length and batch,
decode against batch and context, each as a CUDA graph replayed back to back, so that launches do not count. Before any timing
the whole path is checked against float64. It needs PyTorch and its Triton, and `nvidia-ml-py` for power, energy and clock;
nothing of this project, so the file can be copied to the machine that has the GPU:

    python gpu_step_time.py --out steps.csv --seconds 240
    iecon ingest steps.csv

One CSV row per point, written as soon as it is measured: a run that is cut keeps what it has. Clocks and power limits are left
as they are. On a CPU only `--models tiny` makes sense: the same path in plain PyTorch, slowly.
"""

import argparse
import csv
import dataclasses
import datetime as dt
import math
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

try:
    import triton
    import triton.language as tl
except ImportError:
    triton = None
try:
    import pynvml
except ImportError:
    pynvml = None

COLUMNS = (
    "gpu",
    "gpu_memory_bytes",
    "driver",
    "torch_version",
    "model",
    "precision",
    "phase",
    "batch",
    "prompt_tokens",
    "context_tokens",
    "step_time_s",
    "step_time_p10_s",
    "step_time_p90_s",
    "n",
    "power_w",
    "energy_j",
    "sm_clock_mhz",
    "idle_power_w",
    "attention",
    "relative_error",
    "copy_bytes_per_s",
    "matmul_flop_per_s",
    "measured_at",
)
TILINGS = ((64, 4, 3), (128, 4, 2), (64, 4, 4), (32, 2, 4), (128, 8, 3))
"""Tokens, warps and pipeline stages of decode attention that are tried."""
LARGEST_ERROR = 2e-2
"""Relative error of bf16 logits against float64 above which nothing is timed."""
CAN_REPLAY = torch.cuda.is_available()


@dataclasses.dataclass(frozen=True)
class Shape:
    """Widths of a model; query-key norms and biases, which cost next to nothing, are left out."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    mlp: int
    vocab: int

    @property
    def read_parameters(self) -> int:
        """Weights a step reads: all but the input embedding."""
        attention = self.hidden * self.head_dim * (2 * self.heads + 2 * self.kv_heads)
        return self.layers * (attention + 3 * self.hidden * self.mlp) + self.hidden * self.vocab

    @property
    def kv_values(self) -> int:
        """Values one token adds to the KV cache."""
        return 2 * self.layers * self.kv_heads * self.head_dim


SHAPES = {
    "llama-3.1-8b": Shape(layers=32, hidden=4096, heads=32, kv_heads=8, head_dim=128, mlp=14336, vocab=128256),
    "llama-2-13b": Shape(layers=40, hidden=5120, heads=40, kv_heads=40, head_dim=128, mlp=13824, vocab=32000),
    "qwen3-32b": Shape(layers=64, hidden=5120, heads=64, kv_heads=8, head_dim=128, mlp=25600, vocab=151936),
    "llama-3.1-70b": Shape(layers=80, hidden=8192, heads=64, kv_heads=8, head_dim=128, mlp=28672, vocab=128256),
    "tiny": Shape(layers=2, hidden=256, heads=8, kv_heads=2, head_dim=32, mlp=512, vocab=512),
}
PREFILL = [
    (batch, tokens)
    for tokens, batches in (
        (128, (1, 4, 16, 64)),
        (256, (1,)),
        (512, (1, 4, 16)),
        (1024, (1,)),
        (2048, (1, 4, 8)),
        (4096, (1,)),
        (8192, (1, 4)),
        (16384, (1, 2)),
        (32768, (1,)),
    )
    for batch in batches
]
DECODE = [
    (batch, tokens)
    for tokens, batches in (
        (256, (1024,)),
        (512, (1, 4, 16, 64, 128, 256, 512)),
        (1024, (1, 2, 8, 32, 64, 128, 256)),
        (2048, (1, 4, 16, 64, 128)),
        (4096, (1, 8, 32, 64)),
        (8192, (1, 4, 16, 32)),
        (16384, (1, 8, 16)),
        (32768, (1, 4, 8)),
    )
    for batch in batches
]
TINY_PREFILL, TINY_DECODE = [(1, 64), (2, 64), (1, 128)], [(1, 64), (4, 64), (8, 128)]


# The step in plain PyTorch: the reference in float64, and all there is on a CPU. Each function has a fused twin below.


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary positions on [tokens, heads, width]; cos and sin are [tokens, width / 2]."""
    low, high = x.chunk(2, dim=-1)
    cos, sin = cos[:, None, :], sin[:, None, :]
    return torch.cat([low * cos - high * sin, high * cos + low * sin], dim=-1).to(x.dtype)


class Plain:
    """Operations in PyTorch."""

    attention = "plain"

    @staticmethod
    def add_norm(x: torch.Tensor, y: torch.Tensor | None, weight: torch.Tensor) -> torch.Tensor:
        """x += y, and its root-mean-square norm."""
        if y is not None:
            x += y
        return functional.rms_norm(x, (x.shape[-1],), weight, 1e-5)

    @staticmethod
    def rope_and_keep(
        qkv: torch.Tensor, kv: torch.Tensor, shape: Shape, table: tuple[torch.Tensor, torch.Tensor], n: int, offset: int
    ) -> torch.Tensor:
        """Queries with positions; keys and values go into the cache. n tokens a sequence, the first at `offset`."""
        q, k, v = qkv.unflatten(-1, (-1, shape.head_dim)).split([shape.heads, shape.kv_heads, shape.kv_heads], dim=1)
        where = (offset + torch.arange(len(qkv), device=qkv.device) % n).long()
        cos, sin = table[0][where], table[1][where]
        kept = kv[:, :, :, offset : offset + n]  # [2, batch, kv heads, n, width]
        kept[0] = rotate(k, cos, sin).unflatten(0, (-1, n)).transpose(1, 2)
        kept[1] = v.unflatten(0, (-1, n)).transpose(1, 2)
        return rotate(q, cos, sin)

    @staticmethod
    def gate(x: torch.Tensor) -> torch.Tensor:
        """SiLU of the first half times the second."""
        first, second = x.chunk(2, dim=-1)
        return functional.silu(first) * second

    @staticmethod
    def attend_prompt(q: torch.Tensor, kv: torch.Tensor) -> torch.Tensor:
        """Causal attention; q is [batch, heads, n, width]."""
        k, v = (part.repeat_interleave(q.shape[1] // kv.shape[2], dim=1) for part in kv)
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
        return scores.masked_fill(later, -math.inf).softmax(-1) @ v

    @staticmethod
    def attend_one(q: torch.Tensor, kv: torch.Tensor) -> torch.Tensor:
        """One query a sequence over its whole cache; q is [batch, heads, width]. Query heads of a KV head go together."""
        grouped = q.unflatten(1, (kv.shape[2], -1))
        scores = grouped @ kv[0].transpose(-1, -2) / math.sqrt(q.shape[-1])
        return (scores.softmax(-1) @ kv[1]).flatten(1, 2)


# The same operations fused, so that a step spends its time on weights and KV.

if triton is not None:

    @triton.jit
    def add_norm_kernel(x, y, weight, out, width, has_y: tl.constexpr, block: tl.constexpr):
        row = tl.program_id(0).to(tl.int64)
        cols = tl.arange(0, block)
        inside = cols < width
        values = tl.load(x + row * width + cols, mask=inside, other=0.0).to(tl.float32)
        if has_y:
            values += tl.load(y + row * width + cols, mask=inside, other=0.0).to(tl.float32)
            tl.store(x + row * width + cols, values.to(x.dtype.element_ty), mask=inside)
            values = values.to(x.dtype.element_ty).to(tl.float32)
        scale = tl.rsqrt(tl.sum(values * values, axis=0) / width + 1e-5)
        weights = tl.load(weight + cols, mask=inside, other=0.0).to(tl.float32)
        tl.store(out + row * width + cols, (values * scale * weights).to(out.dtype.element_ty), mask=inside)

    @triton.jit
    def rope_kernel(
        qkv,
        q,
        kv,
        cos,
        sin,
        n,
        offset,
        length,
        batch,
        n_q: tl.constexpr,
        n_kv: tl.constexpr,
        half: tl.constexpr,
        block: tl.constexpr,
    ):
        token = tl.program_id(0).to(tl.int64)
        heads = tl.program_id(1) * block + tl.arange(0, block)
        inside = heads < n_q + 2 * n_kv
        cols = tl.arange(0, half)
        place = heads[:, None] * (2 * half) + cols[None, :]
        mask = inside[:, None] & (cols[None, :] < half)
        row = qkv + token * (n_q + 2 * n_kv) * 2 * half
        low = tl.load(row + place, mask=mask, other=0.0)
        high = tl.load(row + place + half, mask=mask, other=0.0)
        position = offset + token % n
        c = tl.load(cos + position * half + cols)[None, :]
        s = tl.load(sin + position * half + cols)[None, :]
        turned_low = (low * c - high * s).to(low.dtype)
        turned_high = (high * c + low * s).to(low.dtype)
        is_value = (heads >= n_q + n_kv)[:, None]
        first = tl.where(is_value, low, turned_low)
        second = tl.where(is_value, high, turned_high)
        is_query = (heads < n_q)[:, None]
        to_q = q + token * n_q * 2 * half + place
        tl.store(to_q, first, mask=mask & is_query)
        tl.store(to_q + half, second, mask=mask & is_query)
        which = (heads - n_q) // n_kv  # 0: keys, 1: values
        head = (heads - n_q) % n_kv
        line = ((which * batch + token // n) * n_kv + head) * length + position
        to_kv = kv + line[:, None] * (2 * half) + cols[None, :]
        tl.store(to_kv, first, mask=mask & (heads >= n_q)[:, None])
        tl.store(to_kv + half, second, mask=mask & (heads >= n_q)[:, None])

    @triton.jit
    def gate_kernel(x, out, width, block: tl.constexpr):
        row = tl.program_id(0).to(tl.int64)
        cols = tl.program_id(1) * block + tl.arange(0, block)
        inside = cols < width
        first = tl.load(x + row * 2 * width + cols, mask=inside, other=0.0).to(tl.float32)
        second = tl.load(x + row * 2 * width + width + cols, mask=inside, other=0.0).to(tl.float32)
        tl.store(out + row * width + cols, (first * tl.sigmoid(first) * second).to(out.dtype.element_ty), mask=inside)

    @triton.jit
    def split_kernel(
        q,
        keys,
        values,
        part,
        part_top,
        part_sum,
        length,
        per_split,
        scale,
        group: tl.constexpr,
        head_width: tl.constexpr,
        block: tl.constexpr,
    ):
        """Attention of one KV head's queries over one stretch of the cache, whose keys and values are read once."""
        pair = tl.program_id(0).to(tl.int64)
        split = tl.program_id(1)
        rows = tl.arange(0, 16)
        cols = tl.arange(0, head_width)
        real = rows < group
        queries = tl.load(q + (pair * group + rows[:, None]) * head_width + cols[None, :], mask=real[:, None], other=0.0)
        top = tl.full([16], -1e30, tl.float32)
        total = tl.zeros([16], tl.float32)
        sums = tl.zeros([16, head_width], tl.float32)
        start = split * per_split
        stop = tl.minimum(start + per_split, length)
        for at in range(start, stop, block):
            lines = at + tl.arange(0, block)
            here = lines < stop
            place = (pair * length + lines[:, None]) * head_width + cols[None, :]
            k = tl.load(keys + place, mask=here[:, None], other=0.0)
            v = tl.load(values + place, mask=here[:, None], other=0.0)
            scores = tl.where(here[None, :], tl.dot(queries, tl.trans(k)) * scale, -1e30)
            new_top = tl.maximum(top, tl.max(scores, axis=1))
            shares = tl.exp2(scores - new_top[:, None])
            shrink = tl.exp2(top - new_top)
            total = total * shrink + tl.sum(shares, axis=1)
            sums = sums * shrink[:, None] + tl.dot(shares.to(v.dtype), v)
            top = new_top
        slot = (pair * tl.num_programs(1) + split) * group + rows
        tl.store(part + slot[:, None] * head_width + cols[None, :], sums, mask=real[:, None])
        tl.store(part_top + slot, top, mask=real)
        tl.store(part_sum + slot, total, mask=real)

    @triton.jit
    def join_kernel(
        part, part_top, part_sum, out, n_splits, group: tl.constexpr, head_width: tl.constexpr, padded: tl.constexpr
    ):
        pair = tl.program_id(0).to(tl.int64)
        row = tl.program_id(1)
        splits = tl.arange(0, padded)
        cols = tl.arange(0, head_width)
        real = splits < n_splits
        slot = (pair * n_splits + splits) * group + row
        top = tl.load(part_top + slot, mask=real, other=-1e30)
        total = tl.load(part_sum + slot, mask=real, other=0.0)
        weight = tl.exp2(top - tl.max(top, axis=0))
        sums = tl.load(part + slot[:, None] * head_width + cols[None, :], mask=real[:, None], other=0.0)
        joined = tl.sum(sums * weight[:, None], axis=0) / tl.sum(total * weight, axis=0)
        tl.store(out + (pair * group + row) * head_width + cols, joined.to(out.dtype.element_ty))


class Fused(Plain):
    """Operations in Triton; attention of prompts in PyTorch's fused kernels."""

    def __init__(self, prompt_backend: SDPBackend, multiprocessors: int, tiling: tuple[int, int, int]) -> None:
        self.prompt_backend, self.multiprocessors = prompt_backend, multiprocessors
        self.block, self.warps, self.stages = tiling
        self.attention = f"{prompt_backend.name.lower()} + triton split kv"

    @staticmethod
    def add_norm(x: torch.Tensor, y: torch.Tensor | None, weight: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        block = triton.next_power_of_2(x.shape[1])
        add_norm_kernel[(len(x),)](x, x if y is None else y, weight, out, x.shape[1], y is not None, block, num_warps=8)
        return out

    @staticmethod
    def rope_and_keep(
        qkv: torch.Tensor, kv: torch.Tensor, shape: Shape, table: tuple[torch.Tensor, torch.Tensor], n: int, offset: int
    ) -> torch.Tensor:
        q = qkv.new_empty(len(qkv), shape.heads, shape.head_dim)
        blocks = math.ceil((shape.heads + 2 * shape.kv_heads) / 8)
        rope_kernel[(len(qkv), blocks)](
            qkv,
            q,
            kv,
            *table,
            n,
            offset,
            kv.shape[3],
            kv.shape[1],
            shape.heads,
            shape.kv_heads,
            shape.head_dim // 2,
            8,
            num_warps=2,
        )
        return q

    @staticmethod
    def gate(x: torch.Tensor) -> torch.Tensor:
        out = x.new_empty(len(x), x.shape[1] // 2)
        gate_kernel[(len(x), math.ceil(out.shape[1] / 1024))](x, out, out.shape[1], 1024, num_warps=4)
        return out

    def attend_prompt(self, q: torch.Tensor, kv: torch.Tensor) -> torch.Tensor:
        with sdpa_kernel(self.prompt_backend):
            return functional.scaled_dot_product_attention(
                q, kv[0], kv[1], is_causal=True, enable_gqa=q.shape[1] != kv.shape[2]
            )

    def attend_one(self, q: torch.Tensor, kv: torch.Tensor) -> torch.Tensor:
        _, batch, kv_heads, length, width = kv.shape
        pairs, group, block = batch * kv_heads, q.shape[1] // kv_heads, self.block
        splits = max(1, min(math.ceil(4 * self.multiprocessors / pairs), math.ceil(length / block), 128))
        per_split = math.ceil(math.ceil(length / splits) / block) * block
        splits = math.ceil(length / per_split)
        part = torch.empty(pairs, splits, group, width, device=q.device, dtype=torch.float32)
        top, total = (torch.empty(pairs, splits, group, device=q.device, dtype=torch.float32) for _ in range(2))
        split_kernel[(pairs, splits)](
            q,
            kv[0],
            kv[1],
            part,
            top,
            total,
            length,
            per_split,
            math.log2(math.e) / math.sqrt(width),
            group,
            width,
            block,
            num_warps=self.warps,
            num_stages=self.stages,
        )
        out = torch.empty_like(q)
        padded = triton.next_power_of_2(splits)
        join_kernel[(pairs, group)](part, top, total, out, splits, group, width, padded, num_warps=4)
        return out


Weights = dict[str, Any]


def random_weights(shape: Shape, device: str, dtype: torch.dtype) -> Weights:
    """Weights of such a spread that activations keep their size; never zeros, on which chips run faster."""
    generator = torch.Generator(device).manual_seed(1)

    def matrix(rows: int, cols: int) -> torch.Tensor:
        return torch.empty(rows, cols, device=device, dtype=dtype).normal_(0.0, cols**-0.5, generator=generator)

    def norm() -> torch.Tensor:
        return torch.empty(shape.hidden, device=device, dtype=dtype).uniform_(0.5, 1.5, generator=generator)

    width = shape.head_dim
    layers = [
        {
            "qkv": matrix((shape.heads + 2 * shape.kv_heads) * width, shape.hidden),
            "out": matrix(shape.hidden, shape.heads * width),
            "up": matrix(2 * shape.mlp, shape.hidden),
            "down": matrix(shape.hidden, shape.mlp),
            "norm1": norm(),
            "norm2": norm(),
        }
        for _ in range(shape.layers)
    ]
    return {
        "embedding": torch.empty(shape.vocab, shape.hidden, device=device, dtype=dtype).normal_(generator=generator),
        "head": matrix(shape.vocab, shape.hidden),
        "norm": norm(),
        "layers": layers,
    }


def positions(shape: Shape, length: int, device: str, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines of the rotary positions, [length, width / 2]."""
    rates = 10_000.0 ** (-torch.arange(0, shape.head_dim, 2, dtype=torch.float64) / shape.head_dim)
    angles = torch.outer(torch.arange(length, dtype=torch.float64), rates)
    return tuple(part.to(device, dtype).contiguous() for part in (angles.cos(), angles.sin()))


def step(
    ops: Plain,
    weights: Weights,
    shape: Shape,
    tokens: torch.Tensor,
    kv: torch.Tensor,
    table: tuple[torch.Tensor, torch.Tensor],
    *,
    offset: int,
) -> torch.Tensor:
    """Logits after the last of `tokens` [batch, n], whose KV is written from `offset` on into kv [layers, 2, batch, ...].

    n of 1 is a decode step over a cache of offset + 1 tokens, more a prefill of a whole prompt.
    """
    batch, n = tokens.shape
    x = functional.embedding(tokens.flatten(), weights["embedding"])
    y = None
    for layer, cache in zip(weights["layers"], kv, strict=True):
        qkv = ops.add_norm(x, y, layer["norm1"]) @ layer["qkv"].T
        q = ops.rope_and_keep(qkv, cache, shape, table, n, offset)
        if n == 1:
            found = ops.attend_one(q, cache)
        else:
            found = ops.attend_prompt(q.unflatten(0, (batch, n)).transpose(1, 2), cache).transpose(1, 2)
        y = found.reshape(batch * n, -1) @ layer["out"].T
        y = ops.gate(ops.add_norm(x, y, layer["norm2"]) @ layer["up"].T) @ layer["down"].T
    last = (x + y).unflatten(0, (batch, n))[:, -1].contiguous()
    return ops.add_norm(last, None, weights["norm"]) @ weights["head"].T


def check(ops: Plain, shape: Shape, device: str, dtype: torch.dtype) -> float:
    """Largest relative error of logits against float64, over a prefill and a decode step with two layers of the shape."""
    small = dataclasses.replace(shape, layers=2, mlp=1024, vocab=1024)
    weights = random_weights(small, device, dtype)
    exact = {
        name: value.double() if name != "layers" else [{k: v.double() for k, v in each.items()} for each in value]
        for name, value in weights.items()
    }
    worst = 0.0
    for batch, n, context in ((2, 77, 77), (3, 1, 333), (1, 1, 4099)):
        tokens = torch.randint(small.vocab, (batch, n), device=device)
        kv = torch.randn(small.layers, 2, batch, small.kv_heads, context, small.head_dim, device=device).to(dtype)
        ours, truth = (
            step(way, held, small, tokens, cache, positions(small, context, device, kind), offset=context - n)
            for way, held, cache, kind in (
                (ops, weights, kv.clone(), torch.float32),
                (Plain(), exact, kv.double(), torch.float64),
            )
        )
        error = float((ours.double() - truth).norm() / truth.norm())
        worst = max(worst, error if math.isfinite(error) else math.inf)
    return worst


# Measuring.


class Meter:
    """Power, energy and clock of the GPU from NVML; None where NVML does not answer."""

    def __init__(self) -> None:
        self.handle, self.driver, self.counts = None, "", False
        if pynvml is None or not CAN_REPLAY:
            return
        try:
            pynvml.nvmlInit()
            self.driver = str(pynvml.nvmlSystemGetDriverVersion())
            if pynvml.nvmlDeviceGetCount() == 1:
                handle = pynvml.nvmlDeviceGetHandleByIndex(0)
            else:
                handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(0).uuid}")
            pynvml.nvmlDeviceGetPowerUsage(handle)
            self.handle = handle
            pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
            self.counts = True
        except pynvml.NVMLError as error:
            print(f"NVML: {error}", file=sys.stderr)

    def power_w(self) -> float | None:
        """Draw at this moment."""
        return None if self.handle is None else pynvml.nvmlDeviceGetPowerUsage(self.handle) / 1e3

    def sample(self) -> tuple[float, float, float]:
        """Time in seconds, energy counter in joules (draw in watts where there is no counter), SM clock in MHz."""
        energy = pynvml.nvmlDeviceGetTotalEnergyConsumption if self.counts else pynvml.nvmlDeviceGetPowerUsage
        clock_mhz = pynvml.nvmlDeviceGetClockInfo(self.handle, pynvml.NVML_CLOCK_SM)
        return time.perf_counter(), energy(self.handle) / 1e3, clock_mhz

    @contextmanager
    def watching(self) -> Iterator[dict[str, float | None]]:
        """Mean power in the block, between the first and the last tick of the energy counter, and the median SM clock."""
        found: dict[str, float | None] = {"power_w": None, "sm_clock_mhz": None}
        if self.handle is None:
            yield found
            return
        samples, done = [self.sample()], threading.Event()

        def watch() -> None:
            while not done.wait(0.004):
                samples.append(self.sample())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield found
        finally:
            done.set()
            watcher.join()
        found["sm_clock_mhz"] = statistics.median(sample[2] for sample in samples)
        ticks = [after for before, after in pairwise(samples) if after[1] != before[1]]
        if not self.counts:
            found["power_w"] = statistics.fmean(sample[1] for sample in samples)
        elif len(ticks) >= 2:
            found["power_w"] = (ticks[-1][1] - ticks[0][1]) / (ticks[-1][0] - ticks[0][0])


def replayable(work: Callable[[], Any]) -> Callable[[], Any]:
    """The work as a CUDA graph, warmed up first; on a CPU the work itself."""
    if not CAN_REPLAY:
        work()
        return work
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(2):
            work()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def times_of(run: Callable[[], Any], n: int) -> list[float]:
    """Seconds of n runs back to back."""
    if not CAN_REPLAY:
        marks = [time.perf_counter()]
        for _ in range(n):
            run()
            marks.append(time.perf_counter())
        return [end - start for start, end in pairwise(marks)]
    events = [torch.cuda.Event(enable_timing=True) for _ in range(n + 1)]
    events[0].record()
    for event in events[1:]:
        run()
        event.record()
    torch.cuda.synchronize()
    return [start.elapsed_time(end) / 1e3 for start, end in pairwise(events)]


def measured(work: Callable[[], Any], meter: Meter, seconds: float) -> dict[str, Any]:
    """Median, p10 and p90 of the work's time over about so many seconds (at least 5 runs), with power, energy and clock."""
    run = replayable(work)
    once = min(times_of(run, 2))
    times_of(run, max(1, round(0.5 * seconds / once)))  # settles clock and power
    n = min(max(5, round(seconds / once)), 3000)
    with meter.watching() as draw:
        times = sorted(times_of(run, n))
    power_w = draw["power_w"]
    return {
        "step_time_s": statistics.median(times),
        "step_time_p10_s": times[round(0.1 * (n - 1))],
        "step_time_p90_s": times[round(0.9 * (n - 1))],
        "n": n,
        **draw,
        "energy_j": None if power_w is None else power_w * statistics.fmean(times),
    }


def ceilings(meter: Meter, device: str) -> tuple[float, float]:
    """What the card reaches per second: bytes that a copy (of the negative) reads and writes, FLOP of an 8192^3 product."""
    size, width = (2**32, 8192) if CAN_REPLAY else (2**24, 256)
    source = torch.randn(size // 4, device=device)
    target = torch.empty_like(source)
    copy_s = measured(lambda: torch.neg(source, out=target), meter, 0.3)["step_time_s"]
    a, b = (torch.randn(width, width, device=device).to(torch.bfloat16) for _ in range(2))
    matmul_s = measured(lambda: a @ b, meter, 0.5)["step_time_s"]
    return 2 * size / copy_s, 2 * width**3 / matmul_s


def points_of(name: str) -> list[tuple[str, int, int]]:
    """Phase, batch and tokens of every point, in an order that spreads a cut run over all of them."""
    prefill, decode = (TINY_PREFILL, TINY_DECODE) if name == "tiny" else (PREFILL, DECODE)
    points = [("prefill", *each) for each in prefill] + [("decode", *each) for each in decode]
    random.Random(7).shuffle(points)
    return points


def fused_ops(shape: Shape, device: str, dtype: torch.dtype) -> tuple[Plain, float]:
    """The operations for this machine and their relative error: of the ways that agree with float64, the fastest."""
    if not CAN_REPLAY or triton is None:
        return Plain(), check(Plain(), shape, device, dtype)
    multiprocessors = torch.cuda.get_device_properties(0).multi_processor_count
    q = torch.randn(1, shape.heads, 4096, shape.head_dim, device=device).to(dtype)
    kv = torch.randn(2, 32, shape.kv_heads, 4096, shape.head_dim, device=device).to(dtype)
    one = torch.randn(32, shape.heads, shape.head_dim, device=device).to(dtype)

    def seconds_of(work: Callable[[], Any]) -> float:
        return min(times_of(replayable(work), 10))

    def of_tiling(tiling: tuple[int, int, int]) -> float:
        ops = Fused(SDPBackend.FLASH_ATTENTION, multiprocessors, tiling)
        try:
            return seconds_of(lambda: ops.attend_one(one, kv))
        except (RuntimeError, triton.runtime.errors.OutOfResources):
            return math.inf

    tiling = min(TILINGS, key=of_tiling)
    print(f"decode attention, block, warps and stages {tiling}: {kv.nbytes / of_tiling(tiling) / 1e12:.2f} TB/s")
    ways = []
    for backend in (SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION):
        ops = Fused(backend, multiprocessors, tiling)
        try:
            error = check(ops, shape, device, dtype)
            seconds = seconds_of(lambda ops=ops: ops.attend_prompt(q, kv[:, :1]))
        except RuntimeError as problem:
            print(f"{backend.name}: {str(problem).splitlines()[0]}", file=sys.stderr)
            continue
        print(f"{ops.attention}: relative error {error:.1e}, a prompt of 4,096 takes {seconds * 1e6:.0f} us a layer")
        if error <= LARGEST_ERROR:
            ways.append((seconds, ops, error))
    if not ways:
        raise SystemExit("no way of computing attention agrees with float64: nothing is timed")
    _, ops, error = min(ways, key=lambda way: way[0])
    return ops, error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="CSV to write")
    parser.add_argument("--models", nargs="+", choices=SHAPES, default=["llama-3.1-8b", "llama-2-13b", "qwen3-32b"])
    parser.add_argument("--seconds", type=float, default=300.0, help="time for everything, shared out over the models")
    parser.add_argument("--window", type=float, default=0.5, help="seconds each point is measured for")
    parser.add_argument("--longest-step", type=float, default=1.5, help="leave out prompts expected to take longer, s")
    options = parser.parse_args()
    began = time.perf_counter()
    device, dtype = ("cuda", torch.bfloat16) if CAN_REPLAY else ("cpu", torch.float32)
    meter = Meter()
    torch.zeros(1, device=device)
    time.sleep(0.5)
    idle = meter.power_w()
    copy_bytes_per_s, matmul_flop_per_s = ceilings(meter, device)
    print(f"copy {copy_bytes_per_s / 1e12:.2f} TB/s, matmul {matmul_flop_per_s / 1e12:.0f} TFLOP/s, idle {idle} W")
    about = {
        "gpu": torch.cuda.get_device_name(0) if CAN_REPLAY else "cpu",
        "gpu_memory_bytes": torch.cuda.get_device_properties(0).total_memory if CAN_REPLAY else None,
        "driver": meter.driver,
        "torch_version": torch.__version__,
        "precision": "bf16" if CAN_REPLAY else "fp32",
        "idle_power_w": idle,
        "copy_bytes_per_s": f"{copy_bytes_per_s:.4g}",
        "matmul_flop_per_s": f"{matmul_flop_per_s:.4g}",
    }
    with options.out.open("w", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        rows.writeheader()
        for place, name in enumerate(options.models):
            used = time.perf_counter() - began
            until = began + used + (options.seconds - used) / (len(options.models) - place)
            for row in rows_of(name, device, dtype, meter, options, until, matmul_flop_per_s):
                rows.writerow(about | row)
                file.flush()
    print(f"{time.perf_counter() - began:.0f} s")


def rows_of(
    name: str,
    device: str,
    dtype: torch.dtype,
    meter: Meter,
    options: argparse.Namespace,
    until: float,
    matmul_flop_per_s: float,
) -> Iterator[dict[str, Any]]:
    """Measured points of one model until its time is up; those that do not fit into memory are left out."""
    shape = SHAPES[name]
    width = dtype.itemsize
    torch.cuda.empty_cache()
    free = torch.cuda.mem_get_info()[0] if CAN_REPLAY else 2e9
    if free < 1.1 * shape.read_parameters * width:
        print(f"{name}: does not fit into memory")
        return
    ops, error = fused_ops(shape, device, dtype)
    weights = random_weights(shape, device, dtype)
    table = positions(shape, 32768, device, torch.float32)
    print(f"{name}: relative error {error:.1e}")
    for phase, batch, tokens in points_of(name):
        if time.perf_counter() > until:
            print(f"{name}: time is up")
            return
        new = batch * (tokens if phase == "prefill" else 1)
        flop = 2 * shape.read_parameters * new + 2 * shape.layers * shape.heads * shape.head_dim * tokens * new
        if phase == "prefill" and flop / (0.7 * matmul_flop_per_s) > options.longest_step:
            continue
        kv_bytes = batch * tokens * shape.kv_values * width
        scratch = 3 * new * (2 * shape.mlp + 4 * shape.hidden) * width + batch * shape.vocab * width + 1e9
        if CAN_REPLAY:
            torch.cuda.empty_cache()
            if kv_bytes + scratch > torch.cuda.mem_get_info()[0]:
                continue
        try:
            found = measured_step(ops, weights, shape, table, meter, options.window, phase, batch, tokens)
        except torch.OutOfMemoryError:
            print(f"{name} {phase} {batch} x {tokens}: out of memory")
            continue
        seconds, energy = found["step_time_s"], found["energy_j"]
        read_bytes = shape.read_parameters * width + kv_bytes
        reached = f"{flop / seconds / 1e12:.0f} TFLOP/s" if phase == "prefill" else f"{read_bytes / seconds / 1e12:.2f} TB/s"
        print(
            f"{name} {phase} {batch} x {tokens}: {seconds * 1e3:.2f} ms, {reached}, {found['power_w'] or math.nan:.0f} W, "
            f"{(energy or math.nan) / new:.4f} J/token, {found['sm_clock_mhz']} MHz, n {found['n']}",
            flush=True,
        )
        yield {
            "model": name,
            "phase": phase,
            "batch": batch,
            "prompt_tokens": tokens if phase == "prefill" else None,
            "context_tokens": tokens if phase == "decode" else None,
            "attention": ops.attention,
            **{key: f"{value:.6g}" if isinstance(value, float) else value for key, value in found.items()},
            "relative_error": f"{error:.2g}",
            "measured_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        }


def measured_step(
    ops: Plain,
    weights: Weights,
    shape: Shape,
    table: tuple[torch.Tensor, torch.Tensor],
    meter: Meter,
    window: float,
    phase: str,
    batch: int,
    tokens: int,
) -> dict[str, Any]:
    """One point: a prefill of whole prompts, or a decode step over caches of so many tokens, its own among them."""
    like = weights["embedding"]
    kv = like.new_empty(shape.layers, 2, batch, shape.kv_heads, tokens, shape.head_dim).normal_()
    ids = torch.randint(shape.vocab, (batch, tokens if phase == "prefill" else 1), device=like.device)
    offset = 0 if phase == "prefill" else tokens - 1
    with torch.inference_mode():
        return measured(lambda: step(ops, weights, shape, ids, kv, table, offset=offset).argmax(-1), meter, window)


if __name__ == "__main__":
    main()
