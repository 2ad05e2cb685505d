# Writes rwkv.json beside itself: logits of made-up RWKV-5.2 models, in f64, by another way than the product's: no recurrence, but the sum over all earlier
# tokens that it is, y_t = Σ_s<t r_t diag(w^(t−1−s)) k_sᵀ v_s + r_t diag(u) k_tᵀ v_t (Peng et al. 2024, section 4.1).
#   python3 -m venv venv && venv/bin/pip install jax numpy && venv/bin/python test/models/rwkv.py
# Weights are hashes of their names (support/hashed.ts makes the same ones). Kept are tensors (names and shapes) and logits, base64 of f32
# little-endian [tokens, vocab].
import base64
import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
HERE = pathlib.Path(__file__).parent

BASE = {
    "model_type": "rwkv5", "vocab_size": 101, "hidden_size": 64, "num_hidden_layers": 2, "head_size": 16, "intermediate_size": 96,
    "layer_norm_epsilon": 1e-5, "tie_word_embeddings": False,
}
CASES = {
    "rwkv": {},
    "rwkv, heads of 8, divided": {"head_size": 8, "head_size_divisor": 8},
    "rwkv, heads that fill no vector": {"hidden_size": 33, "head_size": 11, "intermediate_size": 35, "num_hidden_layers": 3},
}
TOKENS = [5, 53, 94, 17, 2, 88, 41, 41, 9, 63, 77, 30]


def hashed(name, shape):
    seed = np.uint32(2166136261)
    with np.errstate(over="ignore"):
        for byte in name.encode():
            seed = (seed ^ np.uint32(byte)) * np.uint32(16777619)
        h = seed + np.arange(np.prod(shape), dtype=np.uint32) * np.uint32(0x9E3779B9)
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        h = h ^ (h >> np.uint32(16))
    unit = (h >> np.uint32(8)).astype(np.float64) / 2**23 - 1
    values = unit * 0.25 if len(shape) > 1 else unit / 2 + (1 if name.endswith("weight") else 0)
    return values.astype(np.float32).astype(np.float64).reshape(shape)


def shapes(c):
    d, f, s = c["hidden_size"], c["intermediate_size"], c["head_size"]
    block = {f"{norm}.{kind}": [d] for norm in ["ln1", "ln2", "attention.ln_x"] for kind in ["weight", "bias"]}
    block |= {f"attention.time_mix_{part}": [1, 1, d] for part in ["receptance", "key", "value", "gate"]}
    block |= {f"feed_forward.time_mix_{part}": [1, 1, d] for part in ["receptance", "key"]}
    block |= {f"attention.{part}.weight": [d, d] for part in ["receptance", "key", "value", "gate", "output"]}
    block |= {"feed_forward.key.weight": [f, d], "feed_forward.receptance.weight": [d, d], "feed_forward.value.weight": [d, f]}
    block |= {"attention.time_decay": [d // s, s], "attention.time_faaaa": [d // s, s]}
    tensors = {"rwkv.embeddings.weight": [c["vocab_size"], d], "head.weight": [c["vocab_size"], d]}
    tensors |= {f"rwkv.{norm}.{kind}": [d] for norm in ["blocks.0.pre_ln", "ln_out"] for kind in ["weight", "bias"]}
    return tensors | {f"rwkv.blocks.{i}.{k}": v for i in range(c["num_hidden_layers"]) for k, v in block.items()}


def layernorm(x, w, at, eps):
    mean, var = jnp.mean(x, -1, keepdims=True), jnp.var(x, -1, keepdims=True)
    return (x - mean) / jnp.sqrt(var + eps) * w[f"{at}.weight"] + w[f"{at}.bias"]


def shifted(w, at, part, x):
    before = jnp.pad(x, ((1, 0), (0, 0)))[:-1]
    share = w[f"{at}.time_mix_{part}"].reshape(-1)
    return (x * share + before * (1 - share)) @ w[f"{at}.{part}.weight"].T


def mixer(c, w, u):
    t, s = u.shape[0], c["head_size"]
    h = c["hidden_size"] // s
    r, k, v = (shifted(w, "attention", part, u).reshape(t, h, s) for part in ["receptance", "key", "value"])
    rate = jnp.exp(w["attention.time_decay"])
    age = jnp.arange(t)[:, None] - 1 - jnp.arange(t)[None]
    weight = jnp.where((age >= 0)[:, :, None, None], jnp.exp(-age[:, :, None, None] * rate), 0)
    weight = weight + jnp.eye(t)[:, :, None, None] * w["attention.time_faaaa"]
    y = jnp.einsum("ihn,ijhn,jhn,jhp->ihp", r, weight, k, v) / c.get("head_size_divisor", 1)
    mean, var = jnp.mean(y, -1, keepdims=True), jnp.var(y, -1, keepdims=True)
    y = ((y - mean) / jnp.sqrt(var + 1e-5)).reshape(t, -1) * w["attention.ln_x.weight"] + w["attention.ln_x.bias"]
    return (y * jax.nn.silu(shifted(w, "attention", "gate", u))) @ w["attention.output.weight"].T


def ffn(w, u):
    value = jnp.square(jax.nn.relu(shifted(w, "feed_forward", "key", u))) @ w["feed_forward.value.weight"].T
    return jax.nn.sigmoid(shifted(w, "feed_forward", "receptance", u)) * value


def run(c):
    tensors = shapes(c)
    w = {name: jnp.asarray(hashed(name, shape)) for name, shape in tensors.items()}
    eps = c["layer_norm_epsilon"]
    x = layernorm(w["rwkv.embeddings.weight"][np.array(TOKENS)], w, "rwkv.blocks.0.pre_ln", eps)
    for i in range(c["num_hidden_layers"]):
        at = f"rwkv.blocks.{i}."
        layer = {k[len(at) :]: v for k, v in w.items() if k.startswith(at)}
        x = x + mixer(c, layer, layernorm(x, layer, "ln1", eps))
        x = x + ffn(layer, layernorm(x, layer, "ln2", eps))
    logits = layernorm(x, w, "rwkv.ln_out", eps) @ w["head.weight"].T
    return {"config": c, "tensors": tensors, "logits": base64.b64encode(np.asarray(logits).astype("<f4").tobytes()).decode()}


cases = {name: run(BASE | c) for name, c in CASES.items()}
lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items())
(HERE / "rwkv.json").write_text(f'{{"jax": "{jax.__version__}", "tokens": {TOKENS}, "cases": {{\n{lines}\n}}}}\n')
