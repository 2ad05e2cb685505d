# Writes mamba2.json beside itself: logits of made-up Mamba-2 models, in f64, by another way than the product's: no recurrence, but the matrix that a
# scan is (Dao & Gu 2024, section 6), Y = (L ∘ C Bᵀ)(δ X) with L[i, j] = e^(Σ δ a over j+1 … i).
#   python3 -m venv venv && venv/bin/pip install jax numpy && venv/bin/python test/models/mamba2.py
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
    "model_type": "mamba2", "vocab_size": 101, "hidden_size": 40, "num_hidden_layers": 2, "state_size": 16, "conv_kernel": 4, "expand": 2,
    "head_dim": 16, "num_heads": 5, "n_groups": 1, "hidden_act": "silu", "layer_norm_epsilon": 1e-5, "use_bias": False, "use_conv_bias": True,
    "tie_word_embeddings": False, "time_step_limit": [0.0, None],
}
CASES = {
    "mamba2": {},
    "mamba2, groups, tied, biases": {"n_groups": 2, "num_heads": 10, "head_dim": 8, "tie_word_embeddings": True, "use_bias": True},
    "mamba2, steps within limits, no bias in the convolution": {"time_step_limit": [0.4, 0.8], "use_conv_bias": False, "conv_kernel": 3, "state_size": 5},
    "mamba2, heads that fill no vector": {"hidden_size": 33, "expand": 1, "head_dim": 11, "num_heads": 3, "state_size": 7, "num_hidden_layers": 3},
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
    d, e, n, h = c["hidden_size"], c["hidden_size"] * c["expand"], c["n_groups"] * c["state_size"], c["num_heads"]
    mixer = {
        "norm.weight": [d], "mixer.in_proj.weight": [2 * e + 2 * n + h, d], "mixer.conv1d.weight": [e + 2 * n, 1, c["conv_kernel"]],
        "mixer.dt_bias": [h], "mixer.A_log": [h], "mixer.D": [h], "mixer.norm.weight": [e], "mixer.out_proj.weight": [d, e],
    }
    if c["use_conv_bias"]:
        mixer["mixer.conv1d.bias"] = [e + 2 * n]
    if c["use_bias"]:
        mixer |= {"mixer.in_proj.bias": [2 * e + 2 * n + h], "mixer.out_proj.bias": [d]}
    tensors = {"backbone.embeddings.weight": [c["vocab_size"], d], "backbone.norm_f.weight": [d]}
    if not c["tie_word_embeddings"]:
        tensors["lm_head.weight"] = [c["vocab_size"], d]
    return tensors | {f"backbone.layers.{i}.{k}": v for i in range(c["num_hidden_layers"]) for k, v in mixer.items()}


def rmsnorm(x, w, eps):
    return x / jnp.sqrt(jnp.mean(x * x, -1, keepdims=True) + eps) * w


def mixer(c, w, u):
    t, e, g, n, h, p = u.shape[0], c["hidden_size"] * c["expand"], c["n_groups"], c["state_size"], c["num_heads"], c["head_dim"]
    z, xbc, dt = jnp.split(u @ w["mixer.in_proj.weight"].T + w.get("mixer.in_proj.bias", 0), [e, 2 * e + 2 * g * n], axis=1)
    taps = c["conv_kernel"]
    padded = jnp.pad(xbc, ((taps - 1, 0), (0, 0)))
    conv = sum(padded[j : j + t] * w["mixer.conv1d.weight"][:, 0, j] for j in range(taps)) + w.get("mixer.conv1d.bias", 0)
    x, b, cc = jnp.split(jax.nn.silu(conv), [e, e + g * n], axis=1)
    low, high = c["time_step_limit"]
    dt = jnp.clip(jax.nn.softplus(dt + w["mixer.dt_bias"]), low, jnp.inf if high is None else high)
    x, b, cc = x.reshape(t, h, p), b.reshape(t, g, n), cc.reshape(t, g, n)
    total = jnp.cumsum(dt * -jnp.exp(w["mixer.A_log"]), 0)
    decay = jnp.where(jnp.tril(jnp.ones((t, t)))[:, :, None] > 0, jnp.exp(total[:, None] - total[None]), 0)
    scores = jnp.repeat(jnp.einsum("ign,jgn->ijg", cc, b), h // g, axis=2)
    y = jnp.einsum("ijh,jh,jhp->ihp", scores * decay, dt, x) + w["mixer.D"][:, None] * x
    y = rmsnorm(y.reshape(t, e) * jax.nn.silu(z), w["mixer.norm.weight"], c["layer_norm_epsilon"])
    return y @ w["mixer.out_proj.weight"].T + w.get("mixer.out_proj.bias", 0)


def run(c):
    tensors = shapes(c)
    w = {name: jnp.asarray(hashed(name, shape)) for name, shape in tensors.items()}
    x = w["backbone.embeddings.weight"][np.array(TOKENS)]
    for i in range(c["num_hidden_layers"]):
        at = f"backbone.layers.{i}."
        layer = {k[len(at) :]: v for k, v in w.items() if k.startswith(at)}
        x = x + mixer(c, layer, rmsnorm(x, layer["norm.weight"], c["layer_norm_epsilon"]))
    head = w["backbone.embeddings.weight"] if c["tie_word_embeddings"] else w["lm_head.weight"]
    logits = rmsnorm(x, w["backbone.norm_f.weight"], c["layer_norm_epsilon"]) @ head.T
    return {"config": c, "tensors": tensors, "logits": base64.b64encode(np.asarray(logits).astype("<f4").tobytes()).decode()}


cases = {name: run(BASE | c) for name, c in CASES.items()}
lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items())
(HERE / "mamba2.json").write_text(f'{{"jax": "{jax.__version__}", "tokens": {TOKENS}, "cases": {{\n{lines}\n}}}}\n')
