"""The transformers of this folder in JAX: a Llama decoder, gated (SiLU) or not (ReLU), under Hugging Face's weight names.

Shapes: B windows, T tokens, D = hidden, H query heads, K key/value heads, P a head, F neurons, V tokens. Weights are
[out, in], as Hugging Face stores them. All arithmetic is f32. Not for generating text: there is no KV cache.
"""

import jax
import jax.numpy as jnp
import numpy as np

import fake

EMBEDDING = "model.embed_tokens.weight"


class Decoder:
    def __init__(self, config: dict):
        self.config = config
        self.layers, self.gated = config["num_hidden_layers"], config["hidden_act"] == "silu"
        d, f, p = config["hidden_size"], config["intermediate_size"], config["head_dim"]
        h, k = config["num_attention_heads"], config["num_key_value_heads"]
        self.linears = {
            "self_attn.q_proj": (h * p, d),
            "self_attn.k_proj": (k * p, d),
            "self_attn.v_proj": (k * p, d),
            "self_attn.o_proj": (d, h * p),
            **({"mlp.gate_proj": (f, d)} if self.gated else {}),
            "mlp.up_proj": (f, d),
            "mlp.down_proj": (d, f),
        }

    def initial_weights(self, seed: int) -> dict[str, jax.Array]:
        random = np.random.default_rng(seed)
        d = self.config["hidden_size"]

        def normal(shape, deviation):
            return jnp.asarray(random.normal(0.0, deviation, shape), jnp.float32)

        weights = {EMBEDDING: normal((self.config["vocab_size"], d), 0.05), "model.norm.weight": jnp.ones(d)}
        for n in range(self.layers):
            layer = f"model.layers.{n}."
            weights[layer + "input_layernorm.weight"] = jnp.ones(d)
            weights[layer + "post_attention_layernorm.weight"] = jnp.ones(d)
            for name, shape in self.linears.items():
                into_residual = name.endswith(("o_proj", "down_proj"))
                deviation = shape[1] ** -0.5 * ((2 * self.layers) ** -0.5 if into_residual else 1.0)
                weights[f"{layer}{name}.weight"] = normal(shape, deviation)
        return weights

    def quantised_weights(self, weights):
        """Linears to int4 in groups of 32, the tied embedding to int8 per row, norms unchanged."""
        return {
            name: w if w.ndim == 1 else fake.int8_rows(w) if name == EMBEDDING else fake.int4_groups(w)
            for name, w in weights.items()
        }

    def run(self, weights, tokens, quantised: bool = False):
        """tokens i32 [B, T] -> logits f32 [B, T, V], hidden f32 [layers][B, T, F]: what the activation function gives.

        Quantised: int8 activations at the input of each linear and of the head; pass quantised_weights(weights) with it.
        """
        at_input = fake.int8_rows if quantised else lambda x: x
        length = tokens.shape[1]
        tables = rope_tables(self.config, length)
        hidden_from = jnp.triu(jnp.full((length, length), -1e30, jnp.float32), 1)  # [T, T]: 0 at and before the query
        x, hidden = weights[EMBEDDING][tokens], []  # x [B, T, D]
        for n in range(self.layers):
            layer = f"model.layers.{n}."

            def linear(x, name):
                return x @ weights[f"{layer}{name}.weight"].T

            h = at_input(self._norm(x, weights[layer + "input_layernorm.weight"]))
            x = x + linear(at_input(self._attention(h, linear, tables, hidden_from)), "self_attn.o_proj")
            h = at_input(self._norm(x, weights[layer + "post_attention_layernorm.weight"]))
            up = linear(h, "mlp.up_proj")
            hidden.append(jax.nn.silu(linear(h, "mlp.gate_proj")) * up if self.gated else jax.nn.relu(up))
            x = x + linear(at_input(hidden[-1]), "mlp.down_proj")
        return at_input(self._norm(x, weights["model.norm.weight"])) @ weights[EMBEDDING].T, hidden

    def _norm(self, x, gain):
        return x * jax.lax.rsqrt(jnp.square(x).mean(-1, keepdims=True) + self.config["rms_norm_eps"]) * gain

    def _attention(self, h, linear, tables, hidden_from):
        """h [B, T, D] -> [B, T, H · P]."""
        batch, length, _ = h.shape
        queries, keys, p = (self.config[n] for n in ("num_attention_heads", "num_key_value_heads", "head_dim"))

        def heads(name, count):
            return linear(h, f"self_attn.{name}").reshape(batch, length, count, p).transpose(0, 2, 1, 3)

        q = rotate(heads("q_proj", queries), *tables).reshape(batch, keys, queries // keys, length, p)
        k = rotate(heads("k_proj", keys), *tables)  # [B, K, T, P]
        scores = jnp.einsum("bkgtp,bksp->bkgts", q, k) * p**-0.5 + hidden_from
        mixed = jnp.einsum("bkgts,bksp->bkgtp", jax.nn.softmax(scores, axis=-1), heads("v_proj", keys))
        return mixed.reshape(batch, queries, length, p).transpose(0, 2, 1, 3).reshape(batch, length, queries * p)


def rope_tables(config: dict, length: int):
    """cos and sin [T, P]; Hugging Face's pairing: channel i turns with channel i + P / 2."""
    p = config["head_dim"]
    frequency = config["rope_theta"] ** (-np.arange(0, p, 2) / p)
    angle = np.concatenate([np.outer(np.arange(length), frequency)] * 2, axis=1)
    return jnp.asarray(np.cos(angle), jnp.float32), jnp.asarray(np.sin(angle), jnp.float32)


def rotate(x, cos, sin):
    """x [B, heads, T, P]."""
    p = x.shape[-1]
    half = jnp.concatenate([-x[..., p // 2 :], x[..., : p // 2]], axis=-1)
    return x * cos + half * sin
