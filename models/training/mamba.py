"""Mamba-1 in JAX under the names of transformers' MambaForCausalLM (Gu and Dao 2023, arXiv 2312.00752).

Shapes: B windows, T tokens, D = hidden, E = inner channels, N = states a channel, R = rank of the step size, K = taps of
the convolution. Weights are [out, in]; the convolution's are [E, 1, K]. All arithmetic is f32, the scan goes token by token.
"""

import jax
import jax.numpy as jnp
import numpy as np

EMBEDDING = "backbone.embeddings.weight"
CHUNK = 8  # tokens
STEP_LEAST, STEP_MOST = 1e-3, 1e-1  # range of the step sizes at the start


class Mamba:
    def __init__(self, config: dict):
        self.config, self.layers = config, config["num_hidden_layers"]
        self.d, self.e, self.n = config["hidden_size"], config["intermediate_size"], config["state_size"]
        self.r, self.k = config["time_step_rank"], config["conv_kernel"]

    def initial_weights(self, seed: int) -> dict[str, jax.Array]:
        random = np.random.default_rng(seed)
        d, e, n, r = self.d, self.e, self.n, self.r

        def normal(shape, deviation):
            return jnp.asarray(random.normal(0.0, deviation, shape), jnp.float32)

        weights = {EMBEDDING: normal((self.config["vocab_size"], d), 0.05), "backbone.norm_f.weight": jnp.ones(d)}
        for i in range(self.layers):
            at = f"backbone.layers.{i}."
            steps = np.exp(random.uniform(np.log(STEP_LEAST), np.log(STEP_MOST), e))
            weights |= {
                at + "norm.weight": jnp.ones(d),
                at + "mixer.in_proj.weight": normal((2 * e, d), d**-0.5),
                at + "mixer.conv1d.weight": normal((e, 1, self.k), self.k**-0.5),
                at + "mixer.conv1d.bias": jnp.zeros(e),
                at + "mixer.x_proj.weight": normal((r + 2 * n, e), e**-0.5),
                at + "mixer.dt_proj.weight": normal((e, r), r**-0.5),
                at + "mixer.dt_proj.bias": jnp.asarray(steps + np.log(-np.expm1(-steps)), jnp.float32),  # softplus gives steps
                at + "mixer.A_log": jnp.tile(jnp.log(jnp.arange(1, n + 1, dtype=jnp.float32)), (e, 1)),
                at + "mixer.D": jnp.ones(e),
                at + "mixer.out_proj.weight": normal((d, e), (e * self.layers) ** -0.5),
            }
        return weights

    def run(self, weights, tokens):
        """tokens i32 [B, T] -> logits f32 [B, T, V], and no hidden neurons."""
        x = weights[EMBEDDING][tokens]  # [B, T, D]
        for i in range(self.layers):
            at = f"backbone.layers.{i}."
            layer = {name.removeprefix(at): w for name, w in weights.items() if name.startswith(at)}
            x = x + self._mixer(self._norm(x, layer["norm.weight"]), layer)
        return self._norm(x, weights["backbone.norm_f.weight"]) @ weights[EMBEDDING].T, []

    def _norm(self, x, gain):
        return x * jax.lax.rsqrt(jnp.square(x).mean(-1, keepdims=True) + self.config["layer_norm_epsilon"]) * gain

    def _mixer(self, h, layer):
        """h [B, T, D] -> [B, T, D]."""
        x, z = jnp.split(h @ layer["mixer.in_proj.weight"].T, 2, axis=-1)  # [B, T, E] each
        past = jnp.pad(x, ((0, 0), (self.k - 1, 0), (0, 0)))
        taps = (past[:, j : j + x.shape[1]] * layer["mixer.conv1d.weight"][:, 0, j] for j in range(self.k))
        x = jax.nn.silu(sum(taps) + layer["mixer.conv1d.bias"])
        step, b, c = jnp.split(x @ layer["mixer.x_proj.weight"].T, (self.r, self.r + self.n), axis=-1)
        step = jax.nn.softplus(step @ layer["mixer.dt_proj.weight"].T + layer["mixer.dt_proj.bias"])
        y = scan(x, step, -jnp.exp(layer["mixer.A_log"]), b, c) + x * layer["mixer.D"]
        return (y * jax.nn.silu(z)) @ layer["mixer.out_proj.weight"].T


def scan(x, step, a, b, c):
    """s[e, n] := exp(step[e] a[e, n]) s[e, n] + step[e] x[e] b[n]; y[e] = sum over n of s[e, n] c[n], token by token.

    x, step [B, T, E], a [E, N], b, c [B, T, N] -> y [B, T, E]; T a multiple of CHUNK. The states lie as [B, N, E].
    """

    def token(state, inputs):
        x, step, b, c = inputs
        state = jnp.exp(step[:, None, :] * a.T) * state + b[:, :, None] * (step * x)[:, None, :]
        return state, (state * c[:, :, None]).sum(1)

    @jax.checkpoint  # going back, the states of a chunk are made again: faster than to keep them all
    def chunk(state, inputs):
        return jax.lax.scan(token, state, inputs)

    batch, length, channels = x.shape
    first = jnp.zeros((batch, a.shape[1], channels), jnp.float32)
    chunks = tuple(v.swapaxes(0, 1).reshape(length // CHUNK, CHUNK, batch, -1) for v in (x, step, b, c))
    return jax.lax.scan(chunk, first, chunks)[1].reshape(length, batch, channels).swapaxes(0, 1)
