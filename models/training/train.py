"""Trains one of our models on the King James text and writes its folder.

    python3 prepare_text.py TEXT_DIR
    python3 train.py tiny-relu --text-dir TEXT_DIR --out MODEL_DIR
    python3 train.py tiny-mamba --text-dir TEXT_DIR --out MODEL_DIR --stage 1     (a later stage, from what lies in MODEL_DIR)

MODEL_DIR receives model.safetensors (f16), config.json, tokenizer.json, tokenizer_config.json, card.json, curve.json and
curve.svg: first after an eighth of the steps, then again and again until the end. One seed gives one run on one
machine; other machines and thread counts round differently. What is trained is in recipes.py.
"""

import argparse
import dataclasses
import functools
import pathlib
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

import corpus
from export import export, stored
from recipes import RECIPES, Recipe, Stage

SEED = 1611
FINAL_RATE, WARM_UP, WEIGHT_DECAY = 1e-4, 200, 0.1
FIRST_PENALTY, STEERING = 0.01, 0.02  # the L1 weight at the start; how far its logarithm moves in a step


def optimiser(stage: Stage) -> optax.GradientTransformation:
    steps = stage.steps
    rate = optax.warmup_cosine_decay_schedule(0.0, stage.peak_rate, min(WARM_UP, steps // 10), steps, FINAL_RATE)
    return optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.adamw(
            rate,
            b2=0.98,
            weight_decay=WEIGHT_DECAY,
            mask=lambda weights: {name: w.ndim == 2 and not name.endswith("A_log") for name, w in weights.items()},
        ),
    )


def wanted_active(recipe: Recipe, progress):
    """The active fraction to steer to at `progress` (0…1): from one half, along half a sine, to the recipe's at 0.6.

    After ProSparse (Song et al. 2024): an L1 penalty of the hidden activations that grows slowly; there by a fixed
    schedule of the penalty, here by one of what it is to achieve.
    """
    fall = jnp.sin(jnp.pi / 2 * jnp.clip((progress - 0.05) / 0.55, 0.0, 1.0)) ** 2
    return 0.5 * (1 - fall) + recipe.active * fall


@functools.partial(jax.jit, static_argnames=("net", "update", "recipe"), donate_argnums=(0, 1))
def train_step(weights, state, windows, penalty, progress, net, update, recipe):
    """windows i32 [B, T + 1], penalty = ln of the L1 weight, progress 0…1 -> weights, optimiser state, penalty, mean nats
    a token, active fraction."""

    def objective(weights):
        logits, hidden = net.run(weights, windows[:, :-1])
        nats = corpus.nats(logits, windows[:, 1:]).mean()
        if recipe.active is None:
            return nats, (nats, jnp.float32(jnp.nan))
        mean = sum(jnp.abs(h).mean() for h in hidden) / len(hidden)
        return nats + jnp.exp(penalty) * mean, (nats, sum((h != 0).mean() for h in hidden) / len(hidden))

    (_, (nats, active)), gradient = jax.value_and_grad(objective, has_aux=True)(weights)
    if recipe.active is not None:
        wanted = wanted_active(recipe, progress)
        penalty = jnp.clip(penalty + STEERING * jnp.clip((active - wanted) / wanted, -1, 1), -9.0, 3.0)
    change, state = update(gradient, state, weights)
    return optax.apply_updates(weights, change), state, penalty, nats, active


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("name", choices=RECIPES)
    arguments.add_argument("--text-dir", type=pathlib.Path, required=True)
    arguments.add_argument("--out", type=pathlib.Path, required=True)
    arguments.add_argument("--stage", type=int, default=0, help="stage of the recipe")
    arguments.add_argument("--trial", type=int, help="stop after so many steps, to see the speed; writes nothing")
    options = arguments.parse_args()
    recipe = RECIPES[options.name]
    stage = recipe.stages[options.stage]
    net = recipe.network()

    jax.config.update("jax_num_cpu_devices", 2)  # each takes half of a batch: faster on 2 cores than one device with 2 threads
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("half",))
    everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    by_window = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("half"))

    text = (options.text_dir / "train.txt").read_text()
    held_out = (options.text_dir / "heldout.txt").read_text()
    chapters = corpus.split_chapters(text)
    tokenizer = corpus.train_tokenizer(chapters)
    stream = np.concatenate([corpus.encode_chapter(tokenizer, chapter) for chapter in chapters]).astype(np.int32)
    training = {
        "optimiser": f"AdamW, cosine to {FINAL_RATE}, at most {WARM_UP} warm-up steps, decay {WEIGHT_DECAY}",
        "sequence": f"{corpus.STRIDE} tokens, then {corpus.WINDOW}; {corpus.TOKENS_PER_STEP} tokens a step",
        "stages": [dataclasses.asdict(s) for s in recipe.stages[: options.stage + 1]],
        **({"sparsity": f"L1 of the hidden activations, steered to {recipe.active:.0%} active"} if recipe.active else {}),
        "corpus_tokens": len(stream),
        "bytes_per_token": round(len(text) / len(stream), 4),
        "seed": SEED,
    }
    print(f"{len(stream)} tokens, {training['bytes_per_token']} bytes a token", flush=True)

    before = stored(options.out) if options.stage else None
    weights, curve, minutes = before or (net.initial_weights(SEED), [], 0)
    first = curve[-1]["step"] if curve else 0
    optimise = optimiser(stage)
    weights = jax.device_put(weights, everywhere)
    state = jax.device_put(optimise.init(weights), everywhere)
    penalty = jax.device_put(jnp.log(jnp.float32(FIRST_PENALTY)), everywhere)
    seen: list[tuple[jax.Array, jax.Array]] = []
    started = time.monotonic()
    random = np.random.default_rng(SEED + options.stage)
    last = stage.stop_at or stage.steps
    for step, windows in enumerate(corpus.batches(stream, stage.steps, random, stage.long_from), 1):
        windows = jax.device_put(windows, by_window)
        weights, state, penalty, nats, active = train_step(
            weights, state, windows, penalty, np.float32(step / stage.steps), net, optimise.update, recipe
        )
        seen.append((nats, active))
        if step == options.trial:
            jax.block_until_ready(weights)
            print(f"{step} steps in {time.monotonic() - started:.1f} s")
            break
        export_now = step % max(1, stage.steps // 8) == 0 or step == last
        if step % 50 == 0 or export_now:
            loss, alive = np.mean([[float(x) for x in pair] for pair in seen], axis=0)
            seen.clear()
            seconds = time.monotonic() - started
            curve.append({"step": first + step, "tokens": (first + step) * corpus.TOKENS_PER_STEP, "train_loss": round(loss, 4)})
            if recipe.active is not None:
                curve[-1]["active"] = round(alive, 4)
            print(f"step {step}  loss {loss:.4f}  active {alive:.3f}  L1 {float(jnp.exp(penalty)):.4f}  "
                  f"{step * corpus.TOKENS_PER_STEP / seconds:.0f} tokens/s  {seconds / 60:.1f} min", flush=True)
        if export_now:
            training["minutes"] = round(minutes + (time.monotonic() - started) / 60, 1)
            local = {name: np.asarray(w) for name, w in weights.items()}
            export(options.out, options.name, net, local, tokenizer, held_out, training, curve)
        if step == last:
            break


if __name__ == "__main__":
    main()
