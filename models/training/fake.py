"""Fake quantisation: each function returns values that the integer format can hold, in f32."""

import jax
import jax.numpy as jnp


def nearest_f16(x):
    return x.astype(jnp.float16).astype(jnp.float32)


def int4_groups(w):
    """q4g32: groups of 32 along the input, codes -8…7, a positive f16 scale; of 17 scales that of least squared error.

    w [out, in]. Scales from absmax / 8.5 to absmax / 5.5 are tried.
    """
    groups = w.reshape(w.shape[0], -1, 32)
    largest = jnp.maximum(jnp.abs(groups).max(-1, keepdims=True), 1e-6)

    def attempt(divisor):
        scale = nearest_f16(largest / divisor)
        return jnp.clip(jnp.round(groups / scale), -8, 7) * scale

    def better(best, divisor):
        candidate = attempt(divisor)
        error = jnp.square(candidate - groups).sum(-1, keepdims=True)
        return (jnp.where(error < best[1], candidate, best[0]), jnp.minimum(error, best[1])), None

    first = (jnp.zeros_like(groups), jnp.square(groups).sum(-1, keepdims=True))
    (best, _), _ = jax.lax.scan(better, first, jnp.linspace(8.5, 5.5, 17))
    return best.reshape(w.shape)


def int8_rows(x):
    """Symmetric int8 along the last axis, -127…127, f32 scale = absmax / 127: embedding rows, and activations per token."""
    scale = jnp.maximum(jnp.abs(x).max(-1, keepdims=True), 1e-10) / 127.0
    return jnp.round(x / scale) * scale
