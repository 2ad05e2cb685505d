"""Trains tiny-swiglu on the King James text and writes the model folder.

    python prepare_text.py TEXT_DIR
    python train.py --text-dir TEXT_DIR --out MODEL_DIR

MODEL_DIR receives model.safetensors (f16), config.json, tokenizer.json, tokenizer_config.json, card.json, curve.json and
curve.svg: first after an eighth of the steps, then again and again until the end. One seed gives one run on one
machine; other machines and thread counts round differently. Learning rate and sequence length depend on the step alone.
"""

import argparse
import functools
import importlib.metadata
import json
import math
import os
import pathlib
import platform
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
import safetensors.numpy
import tokenizers

import net

SEED = 1611
TOKENS_PER_STEP = 2048
SHORT, LONG, LONG_FROM = 256, 512, 0.7  # sequence lengths; the fraction of the steps after which the long one starts
PEAK_RATE, FINAL_RATE, WARM_UP, WEIGHT_DECAY = 3e-3, 1e-4, 200, 0.1


def train_tokenizer(chapters: list[str]) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=net.V,
        special_tokens=["<|begin|>", "<|end|>"],
        initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(chapters, trainer)
    assert tokenizer.get_vocab_size() == net.V and tokenizer.token_to_id("<|end|>") == net.CONFIG["eos_token_id"]
    return tokenizer


def batches(stream: np.ndarray, steps: int, random: np.random.Generator):
    """Yields `steps` arrays i32 [B, T + 1], B x T = TOKENS_PER_STEP: epochs of shuffled windows, each epoch newly offset."""
    windows: list[np.ndarray] = []
    length = SHORT
    for step in range(steps):
        if length == SHORT and step >= LONG_FROM * steps:
            length, windows = LONG, []
        if len(windows) < TOKENS_PER_STEP // length:
            starts = np.arange(random.integers(length), len(stream) - length, length)
            windows = [stream[i : i + length + 1] for i in random.permutation(starts)]
        yield np.stack([windows.pop() for _ in range(TOKENS_PER_STEP // length)])


def optimiser(steps: int) -> optax.GradientTransformation:
    rate = optax.warmup_cosine_decay_schedule(0.0, PEAK_RATE, min(WARM_UP, steps // 10), steps, FINAL_RATE)
    return optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.adamw(
            rate,
            b2=0.98,
            weight_decay=WEIGHT_DECAY,
            mask=lambda weights: jax.tree.map(lambda w: w.ndim == 2, weights),
        ),
    )


@functools.partial(jax.jit, static_argnames="update", donate_argnums=(0, 1))
def train_step(weights, state, windows, update):
    """windows i32 [B, T + 1] -> new weights, new optimiser state, mean nats a token."""
    value, gradient = jax.value_and_grad(lambda w: net.nats(w, windows).mean())(weights)
    change, state = update(gradient, state, weights)
    return optax.apply_updates(weights, change), state, value


def write(path: pathlib.Path, data: str | bytes) -> None:
    """Whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data.encode() if isinstance(data, str) else data)
    os.replace(partial, path)


def to_json(value) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


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


def export(out, weights, tokenizer, held_out, training, curve, steps, bytes_per_token) -> None:
    """Writes the folder. What is measured here is measured on the stored f16 values."""
    stored = {name: np.asarray(w).astype(np.float16) for name, w in weights.items()}
    upcast = {name: jnp.asarray(w.astype(np.float32)) for name, w in stored.items()}
    plain = net.bits_per_byte(upcast, tokenizer, held_out)
    quantised = net.bits_per_byte(upcast, tokenizer, held_out, quantised=True)
    curve[-1] |= {"heldout_bits_per_byte": plain, "heldout_bits_per_byte_quantised": quantised}
    step, tokens = curve[-1]["step"], curve[-1]["tokens"]
    card = {
        "name": "tiny-swiglu",
        "architecture": "llama",
        "parameters": int(sum(w.size for w in stored.values())),
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
            "planned_steps": steps,
            "tokens_seen": tokens,
            "seed": SEED,
            "quantisation_aware": False,
            "frameworks": {
                "python": platform.python_version(),
                **{n: importlib.metadata.version(n) for n in ("jax", "jaxlib", "numpy", "optax", "tokenizers", "safetensors")},
            },
        },
        "evaluation": {
            "heldout_bits_per_byte": round(plain, 4),
            "heldout_bits_per_byte_quantised": round(quantised, 4),
            "quantised_relative_cost": round(quantised / plain - 1, 5),
            "quantised_means": "JAX fake quantisation: linears int4 symmetric in groups of 32, round to nearest, f16 scales "
            "by least squared error; tied embedding int8 per row; activations int8 per token",
            "split": "blank-line",
            "window": 512,
            "stride": 256,
            "bytes_per_token": round(bytes_per_token, 4),
        },
        "intended_use": "Test, benchmark and demonstration model of Skint.",
        "limits": "It imitates the style of one book and knows nothing. Context 512 tokens. ASCII English only; other text "
        "falls back to bytes it never saw.",
    }
    out.mkdir(parents=True, exist_ok=True)
    write(out / "config.json", to_json(net.CONFIG))
    write(out / "tokenizer.json", tokenizer.to_str(pretty=True) + "\n")
    special = {"bos_token": "<|begin|>", "eos_token": "<|end|>", "clean_up_tokenization_spaces": False}
    kind = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": net.CONFIG["max_position_embeddings"]}
    write(out / "tokenizer_config.json", to_json(special | kind | {"add_bos_token": True}))
    write(out / "card.json", to_json(card))
    write(out / "curve.json", to_json(curve))
    write(out / "curve.svg", curve_svg(curve, bytes_per_token))
    write(out / "model.safetensors", safetensors.numpy.save(stored, metadata={"format": "pt"}))
    print(f"exported at step {step}: held-out {plain:.4f}, quantised {quantised:.4f} ({quantised / plain - 1:+.4f})", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--text-dir", type=pathlib.Path, required=True)
    arguments.add_argument("--out", type=pathlib.Path, required=True)
    arguments.add_argument("--steps", type=int, default=4800, help="steps that the learning rate is planned for")
    arguments.add_argument("--stop-at", type=int, default=3600, help="step to end at; the model here is step 3600, about 22 minutes on two cores")
    options = arguments.parse_args()

    jax.config.update("jax_num_cpu_devices", 2)  # each takes half of a batch: faster on 2 cores than one device with 2 threads
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("half",))
    everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    by_window = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("half"))

    text = (options.text_dir / "train.txt").read_text()
    held_out = (options.text_dir / "heldout.txt").read_text()
    chapters = net.split_chapters(text)
    tokenizer = train_tokenizer(chapters)
    documents = [net.encode_chapter(tokenizer, chapter) for chapter in chapters]
    stream = np.concatenate(documents).astype(np.int32)
    bytes_per_token = len(text) / len(stream)
    print(f"{len(stream)} tokens, {bytes_per_token:.3f} bytes a token", flush=True)

    random = np.random.default_rng(SEED)
    optimise = optimiser(options.steps)
    weights = jax.device_put(net.initial_weights(SEED), everywhere)
    state = jax.device_put(optimise.init(weights), everywhere)
    training = {
        "optimiser": f"AdamW, rate {PEAK_RATE} to {FINAL_RATE} by cosine, {WARM_UP} warm-up steps, decay {WEIGHT_DECAY}",
        "sequence": f"{SHORT} tokens, {LONG} from {LONG_FROM:.0%} of the steps on; {TOKENS_PER_STEP} tokens a step",
        "corpus_tokens": len(stream),
    }
    curve: list[dict] = []
    losses: list[jax.Array] = []
    started = time.monotonic()
    for step, windows in enumerate(batches(stream, options.steps, random), 1):
        windows = jax.device_put(windows, by_window)
        weights, state, loss = train_step(weights, state, windows, optimise.update)
        losses.append(loss)
        export_now = step % max(1, options.steps // 8) == 0 or step in (options.steps, options.stop_at)
        if step % 50 == 0 or export_now:
            mean = float(np.mean([float(x) for x in losses]))
            losses.clear()
            seconds = time.monotonic() - started
            curve.append({"step": step, "tokens": step * TOKENS_PER_STEP, "train_loss": round(mean, 4)})
            print(f"step {step}  loss {mean:.4f}  {step * TOKENS_PER_STEP / seconds:.0f} tokens/s  {seconds / 60:.1f} min", flush=True)
        if export_now:
            training["minutes"] = round((time.monotonic() - started) / 60, 1)
            local = {name: np.asarray(w) for name, w in weights.items()}
            export(options.out, local, tokenizer, held_out, training, curve, options.steps, bytes_per_token)
        if step == options.stop_at:
            break


if __name__ == "__main__":
    main()
