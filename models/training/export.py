"""Writes a model's folder: weights, tokenizer, configuration, card and learning curve."""

import importlib.metadata
import json
import math
import os
import pathlib
import platform

import jax.numpy as jnp
import numpy as np
import safetensors.numpy

import corpus


def write(path: pathlib.Path, data: str | bytes) -> None:
    """Whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data.encode() if isinstance(data, str) else data)
    os.replace(partial, path)


def to_json(value) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def frameworks() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        **{n: importlib.metadata.version(n) for n in ("jax", "jaxlib", "numpy", "optax", "tokenizers", "safetensors")},
    }


def curve_svg(curve: list[dict], bytes_per_token: float) -> str:
    """Training loss (thin) and held-out loss (thick), both in bits per byte, over tokens seen."""
    width, height, left, bottom, low, high = 640, 320, 48, 36, 1.0, 3.0
    last = max(point["tokens"] for point in curve)

    def line(values, style):
        points = " ".join(
            f"{left + (width - left - 12) * tokens / last:.1f},"
            f"{(height - bottom) * (1 - (min(bits, high) - low) / (high - low)):.1f}"
            for tokens, bits in values
        )
        return f'<polyline fill="none" {style} points="{points}"/>'

    def text(x, y, words, anchor="middle"):
        return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{words}</text>'

    train = [(p["tokens"], p["train_loss"] / math.log(2) / bytes_per_token) for p in curve]
    held_out = [(p["tokens"], p["heldout_bits_per_byte"]) for p in curve if "heldout_bits_per_byte" in p]
    ticks = [low + 0.4 * i for i in range(1, 5)]
    rows = [(height - bottom) * (1 - (tick - low) / (high - low)) for tick in ticks]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            *(f'<path d="M{left} {y:.1f}H{width - 12}" stroke="#ddd"/>' for y in rows),
            *(text(left - 6, round(y + 4, 1), f"{tick:.1f}", "end") for y, tick in zip(rows, ticks)),
            line(train, 'stroke="#999"'),
            line(held_out, 'stroke="#06c" stroke-width="2.5"'),
            text(left, height - 14, "0"),
            text(width - 12, height - 14, f"{last / 1e6:.1f} M tokens", "end"),
            text(width - 12, 16, "bits per byte: grey training, blue held-out", "end"),
            "</svg>\n",
        ]
    )


def quantisation(heldout_bits_per_byte: float, heldout_bits_per_byte_quantised: float | None = None) -> dict:
    if heldout_bits_per_byte_quantised is None:
        return {}
    return {
        "quantised_relative_cost": round(heldout_bits_per_byte_quantised / heldout_bits_per_byte - 1, 5),
        "quantised_means": "JAX fake quantisation: linears int4 symmetric in groups of 32, round to nearest, f16 scales "
        "by least squared error; tied embedding int8 per row; activations int8 per token",
    }


def stored(folder: pathlib.Path) -> tuple[dict, list[dict], float]:
    """Weights in f32, curve and minutes of a folder that `export` wrote."""
    weights = safetensors.numpy.load_file(folder / "model.safetensors")
    minutes = json.loads((folder / "card.json").read_text())["training"]["minutes"]
    return {name: jnp.asarray(w.astype(np.float32)) for name, w in weights.items()}, json.loads((folder / "curve.json").read_text()), minutes


def export(out, name, net, weights, tokenizer, held_out, training, curve) -> None:
    """Writes the folder. What is measured here is measured on the stored f16 values."""
    halves = {name: np.asarray(w).astype(np.float16) for name, w in weights.items()}
    upcast = {name: jnp.asarray(w.astype(np.float32)) for name, w in halves.items()}
    plain, active = corpus.evaluate(net, upcast, tokenizer, held_out)
    measured = {"heldout_bits_per_byte": plain}
    if hasattr(net, "quantised_weights"):
        measured["heldout_bits_per_byte_quantised"] = corpus.evaluate(net, upcast, tokenizer, held_out, quantised=True)[0]
    curve[-1] |= measured
    step, tokens = curve[-1]["step"], curve[-1]["tokens"]
    card = {
        "name": name,
        "architecture": net.config["model_type"],
        "parameters": int(sum(w.size for w in halves.values())),
        "licence": "Apache-2.0",
        "training_data": {
            "text": "King James (Authorized) Version of the Bible, from Debian's package bible-kjv-text",
            "licence": "Public domain in most of the world. In the United Kingdom the Crown's letters patent restrict its "
            "printing.",
            "held_out": "19 whole chapters of 12 books, heldout.txt; never trained on",
        },
        "training": {
            **training,
            "steps": step,
            "tokens_seen": tokens,
            "quantisation_aware": False,
            "frameworks": frameworks(),
        },
        "evaluation": {
            **{key: round(value, 4) for key, value in measured.items()},
            **quantisation(**measured),
            **({"active_fraction": round(active, 4)} if "sparsity" in training else {}),
            "split": "blank-line",
            "window": corpus.WINDOW,
            "stride": corpus.STRIDE,
        },
        "intended_use": "Test, benchmark and demonstration model of Skint.",
        "limits": "It imitates the style of one book and knows nothing. Context 512 tokens. ASCII English only; other text "
        "falls back to bytes it never saw.",
    }
    out.mkdir(parents=True, exist_ok=True)
    write(out / "config.json", to_json(net.config))
    write(out / "tokenizer.json", tokenizer.to_str(pretty=True) + "\n")
    special = {"bos_token": "<|begin|>", "eos_token": "<|end|>", "clean_up_tokenization_spaces": False}
    kind = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": corpus.WINDOW}
    write(out / "tokenizer_config.json", to_json(special | kind | {"add_bos_token": True}))
    write(out / "card.json", to_json(card))
    write(out / "curve.json", to_json(curve))
    write(out / "curve.svg", curve_svg(curve, training["bytes_per_token"]))
    write(out / "model.safetensors", safetensors.numpy.save(halves, metadata={"format": "pt"}))
    print(f"exported at step {step}: {measured}, active {active:.4f}", flush=True)
