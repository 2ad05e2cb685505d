"""The network of tiny-swiglu in JAX: a Llama decoder under Hugging Face's weight names, and its fake quantisation.

Shapes: B windows, T tokens, D = hidden 128, H = 4 query heads, K = 2 key/value heads, P = 32 a head, F = 512, V = 1024.
Weights are [out, in], as Hugging Face stores them. All arithmetic is f32. Not for generating text: there is no KV cache.
"""

import jax
import jax.numpy as jnp
import numpy as np

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "head_dim": 32,
    "hidden_act": "silu",
    "hidden_size": 128,
    "initializer_range": 0.02,
    "intermediate_size": 512,
    "max_position_embeddings": 512,
    "mlp_bias": False,
    "num_attention_heads": 4,
    "num_hidden_layers": 6,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-5,
    "rope_scaling": None,
    "rope_theta": 10000.0,
    "tie_word_embeddings": True,
    "torch_dtype": "float16",
    "use_cache": True,
    "vocab_size": 1024,
}
D, F, V = CONFIG["hidden_size"], CONFIG["intermediate_size"], CONFIG["vocab_size"]
H, K, P = CONFIG["num_attention_heads"], CONFIG["num_key_value_heads"], CONFIG["head_dim"]
LAYERS = CONFIG["num_hidden_layers"]
EMBEDDING = "model.embed_tokens.weight"

LINEARS = {
    "self_attn.q_proj": (H * P, D),
    "self_attn.k_proj": (K * P, D),
    "self_attn.v_proj": (K * P, D),
    "self_attn.o_proj": (D, H * P),
    "mlp.gate_proj": (F, D),
    "mlp.up_proj": (F, D),
    "mlp.down_proj": (D, F),
}


def initial_weights(seed: int) -> dict[str, jax.Array]:
    random = np.random.default_rng(seed)

    def normal(shape, deviation):
        return jnp.asarray(random.normal(0.0, deviation, shape), jnp.float32)

    weights = {EMBEDDING: normal((V, D), 0.05), "model.norm.weight": jnp.ones(D)}
    for n in range(LAYERS):
        layer = f"model.layers.{n}."
        weights[layer + "input_layernorm.weight"] = jnp.ones(D)
        weights[layer + "post_attention_layernorm.weight"] = jnp.ones(D)
        for name, shape in LINEARS.items():
            into_residual = name.endswith(("o_proj", "down_proj"))
            deviation = shape[1] ** -0.5 * ((2 * LAYERS) ** -0.5 if into_residual else 1.0)
            weights[f"{layer}{name}.weight"] = normal(shape, deviation)
    return weights


# ---- fake quantisation: each function returns values that the integer format can hold, in f32


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


def quantised_weights(weights):
    """Linears to int4 in groups of 32, the tied embedding to int8 per row, norms unchanged."""
    return {
        name: w if w.ndim == 1 else int8_rows(w) if name == EMBEDDING else int4_groups(w)
        for name, w in weights.items()
    }


# ---- the network


def rms_norm(x, gain):
    return x * jax.lax.rsqrt(jnp.square(x).mean(-1, keepdims=True) + CONFIG["rms_norm_eps"]) * gain


def rope_tables(length: int):
    """cos and sin [T, P]; Hugging Face's pairing: channel i turns with channel i + P / 2."""
    frequency = CONFIG["rope_theta"] ** (-np.arange(0, P, 2) / P)
    angle = np.concatenate([np.outer(np.arange(length), frequency)] * 2, axis=1)
    return jnp.asarray(np.cos(angle), jnp.float32), jnp.asarray(np.sin(angle), jnp.float32)


def rotate(x, cos, sin):
    """x [B, heads, T, P]."""
    half = jnp.concatenate([-x[..., P // 2 :], x[..., : P // 2]], axis=-1)
    return x * cos + half * sin


def logits_of(weights, tokens, quantised: bool = False):
    """tokens i32 [B, T] -> logits f32 [B, T, V]. Quantised: int8 activations at the input of each linear and of the head.

    Pass quantised_weights(weights) as weights with it.
    """

    def linear(x, name):
        return x @ weights[name].T

    def at_input(x):
        return int8_rows(x) if quantised else x

    batch, length = tokens.shape
    cos, sin = rope_tables(length)
    hidden_from = jnp.triu(jnp.full((length, length), -1e30, jnp.float32), 1)  # [T, T]: 0 at and before the query
    x = weights[EMBEDDING][tokens]  # [B, T, D]
    for n in range(LAYERS):
        layer = f"model.layers.{n}."
        h = at_input(rms_norm(x, weights[layer + "input_layernorm.weight"]))

        def heads(name, count):
            return linear(h, f"{layer}self_attn.{name}.weight").reshape(batch, length, count, P).transpose(0, 2, 1, 3)

        q = rotate(heads("q_proj", H), cos, sin).reshape(batch, K, H // K, length, P)
        k = rotate(heads("k_proj", K), cos, sin)  # [B, K, T, P]
        scores = jnp.einsum("bkgtp,bksp->bkgts", q, k) * P**-0.5 + hidden_from
        mixed = jnp.einsum("bkgts,bksp->bkgtp", jax.nn.softmax(scores, axis=-1), heads("v_proj", K))
        mixed = mixed.reshape(batch, H, length, P).transpose(0, 2, 1, 3).reshape(batch, length, H * P)
        x = x + linear(at_input(mixed), layer + "self_attn.o_proj.weight")
        h = at_input(rms_norm(x, weights[layer + "post_attention_layernorm.weight"]))
        gated = jax.nn.silu(linear(h, layer + "mlp.gate_proj.weight")) * linear(h, layer + "mlp.up_proj.weight")
        x = x + linear(at_input(gated), layer + "mlp.down_proj.weight")
    return linear(at_input(rms_norm(x, weights["model.norm.weight"])), EMBEDDING)


def nats(weights, windows, quantised: bool = False):
    """windows i32 [B, T + 1] -> -ln p of tokens 1…T, f32 [B, T]."""
    log_p = jax.nn.log_softmax(logits_of(weights, windows[:, :-1], quantised), axis=-1)
    return -jnp.take_along_axis(log_p, windows[:, 1:, None], axis=-1)[..., 0]


# ---- held-out bits per byte


def split_chapters(text: str) -> list[str]:
    """Our files: chapters separated by one blank line, one newline at the end of the file."""
    return text.removesuffix("\n").split("\n\n")


def encode_chapter(tokenizer, chapter: str) -> list[int]:
    ids = tokenizer.encode(chapter, add_special_tokens=False).ids
    return [CONFIG["bos_token_id"], *ids, CONFIG["eos_token_id"]]


_window_nats = jax.jit(nats, static_argnames="quantised")


def bits_per_byte(weights, tokenizer, text: str, quantised: bool = False) -> float:
    """-log2 p of every token after bos, eos included, over the bytes of the chapters (blank lines not counted).

    The network sees 512 tokens at a time and moves on by 256: the first window of a chapter scores all its targets, each
    later one those the window before did not reach.
    """
    if quantised:
        weights = jax.jit(quantised_weights)(weights)
    size, stride = CONFIG["max_position_embeddings"], CONFIG["max_position_embeddings"] // 2
    windows, counted = [], []  # [size + 1] tokens padded with eos; [size] whether the target counts
    for chapter in split_chapters(text):
        ids = encode_chapter(tokenizer, chapter)
        for start in range(0, len(ids) - 1, stride):
            window = ids[start : start + size + 1]
            count = np.zeros(size, bool)
            count[0 if start == 0 else stride : len(window) - 1] = True
            windows.append(window + [CONFIG["eos_token_id"]] * (size + 1 - len(window)))
            counted.append(count)
            if start + size >= len(ids) - 1:
                break
    windows, counted = np.array(windows, np.int32), np.array(counted)
    total = 0.0
    for i in range(0, len(windows), 8):
        batch = np.zeros((8, size + 1), np.int32)
        batch[: len(windows[i : i + 8])] = windows[i : i + 8]
        losses = np.asarray(_window_nats(weights, batch, quantised=quantised), np.float64)[: len(windows[i : i + 8])]
        total += losses[counted[i : i + 8]].sum()
    return total / np.log(2) / sum(len(chapter.encode()) for chapter in split_chapters(text))
