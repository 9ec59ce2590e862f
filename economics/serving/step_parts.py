"""A step as the sum of its parts: weights, KV and attention run one after the other, each at the pace of its own bound.

`step_time` bounds a whole decode step by memory or by arithmetic. Kernels do not overlap: a large batch multiplies
with the weights at the pace of arithmetic, and then reads KV at the pace of memory.
"""

import numpy as np

from economics.units import Flag, Real, require_fraction, require_non_negative, require_positive


def weights_read_s(*, weight_bytes: Real, hbm_bytes_per_s: Real, mbu: Real) -> Real:
    """Time to read the weights once: W / (MBU BW). Arguments broadcast; bytes, bytes/s, share. Returns seconds."""
    require_positive(weight_bytes=weight_bytes, hbm_bytes_per_s=hbm_bytes_per_s)
    require_fraction(mbu=mbu)
    return np.divide(weight_bytes, np.multiply(mbu, hbm_bytes_per_s))


def weights_multiplied_s(*, active_parameters: Real, new_tokens: Real, flop_per_s: Real, mfu: Real) -> Real:
    """Time to multiply the tokens of a step with the weights: 2 P T / (MFU F). Arguments broadcast. Returns seconds."""
    require_positive(active_parameters=active_parameters, new_tokens=new_tokens, flop_per_s=flop_per_s)
    require_fraction(mfu=mfu)
    return 2.0 * np.multiply(active_parameters, new_tokens) / np.multiply(mfu, flop_per_s)


def parts_s(*, read_s: Real, multiplied_s: Real, kv_s: Real, attention_s: Real, overhead_s: Real) -> Real:
    """Time of a step: overhead + max(weights read, weights multiplied) + KV read + attention computed.

    Arguments broadcast, seconds. In decode the attention is covered by reading its KV and is 0; in prefill the KV is 0.
    ValueError where a value is outside its domain. Source: derived (roofline of each kernel; Williams et al. 2009).
    """
    require_positive(read_s=read_s, multiplied_s=multiplied_s)
    require_non_negative(kv_s=kv_s, attention_s=attention_s, overhead_s=overhead_s)
    return overhead_s + np.maximum(read_s, multiplied_s) + kv_s + attention_s


def compute_bound(*, read_s: Real, multiplied_s: Real) -> Flag:
    """Whether the weights are multiplied for longer than they are read. Arguments broadcast, seconds. Source: derived."""
    return np.greater(multiplied_s, read_s)
