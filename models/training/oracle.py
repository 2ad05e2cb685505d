"""Writes oracle.json: what JAX computes from the stored model, for Skint to be compared with.

    python3 oracle.py tiny-relu MODEL_DIR HELDOUT

Reads model.safetensors and tokenizer.json of MODEL_DIR, and the text file HELDOUT. The f16 weights are upcast to f32 and all arithmetic
is f32 at JAX's highest precision. Keys:

    tokens     256 ids: the first of the text's first chapter, begin token included, at positions 0…255
    positions  the positions whose logits are stored
    vocab      1024
    logits     base64 of f32 little-endian [positions, vocab]: the logits of the token after each position
    prompt     16 ids, the first of tokens
    greedy     the 40 ids that follow the prompt when the likeliest token is taken each time
"""

import argparse
import base64
import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import safetensors.numpy
import tokenizers

import corpus
from recipes import RECIPES

LENGTH, PROMPT, GREEDY = 256, 16, 40
POSITIONS = [0, 1, 2, 3, 7, 15, 31, 32, 63, 64, 100, 127, 128, 191, 254, 255]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("name", choices=RECIPES)
    arguments.add_argument("model", type=pathlib.Path)
    arguments.add_argument("heldout", type=pathlib.Path)
    options = arguments.parse_args()
    model, net = options.model, RECIPES[options.name].network()

    stored = safetensors.numpy.load_file(model / "model.safetensors")
    weights = {name: jnp.asarray(w.astype(np.float32)) for name, w in stored.items()}
    tokenizer = tokenizers.Tokenizer.from_file(str(model / "tokenizer.json"))
    chapter = corpus.split_chapters(options.heldout.read_text())[0]
    tokens = corpus.encode_chapter(tokenizer, chapter)[:LENGTH]
    run = jax.jit(lambda weights, tokens: net.run(weights, tokens)[0])

    with jax.default_matmul_precision("highest"):
        logits = np.asarray(run(weights, np.array([tokens], np.int32)))[0][POSITIONS]
        sequence = np.zeros((1, PROMPT + GREEDY), np.int32)
        sequence[0, :PROMPT] = tokens[:PROMPT]
        for i in range(PROMPT, PROMPT + GREEDY):  # later tokens are still 0; nothing before sees them
            sequence[0, i] = np.asarray(run(weights, sequence))[0, i - 1].argmax()

    greedy = sequence[0, PROMPT:].tolist()
    oracle = {
        "tokens": tokens,
        "positions": POSITIONS,
        "vocab": corpus.VOCAB,
        "logits": base64.b64encode(logits.astype("<f4").tobytes()).decode(),
        "prompt": tokens[:PROMPT],
        "greedy": greedy,
    }
    (model / "oracle.json").write_text(json.dumps(oracle) + "\n")
    print(tokenizer.decode(tokens[:PROMPT]) + " | " + tokenizer.decode(greedy))


if __name__ == "__main__":
    main()
