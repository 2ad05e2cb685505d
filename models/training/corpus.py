"""The text of the models here: tokenizer, training windows, held-out bits per byte."""

import jax
import numpy as np
import tokenizers

VOCAB, BEGIN, END = 1024, 0, 1
WINDOW, STRIDE = 512, 256
TOKENS_PER_STEP = 2048


def train_tokenizer(chapters: list[str]) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=VOCAB,
        special_tokens=["<|begin|>", "<|end|>"],
        initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(chapters, trainer)
    assert tokenizer.get_vocab_size() == VOCAB and tokenizer.token_to_id("<|end|>") == END
    return tokenizer


def batches(stream: np.ndarray, steps: int, random: np.random.Generator, long_from: float):
    """Yields `steps` arrays i32 [B, T + 1], B x T = TOKENS_PER_STEP: epochs of shuffled windows, each epoch newly offset.

    T is STRIDE, and WINDOW from the fraction `long_from` of the steps on.
    """
    windows: list[np.ndarray] = []
    length = STRIDE
    for step in range(steps):
        if length == STRIDE and step >= long_from * steps:
            length, windows = WINDOW, []
        if len(windows) < TOKENS_PER_STEP // length:
            starts = np.arange(random.integers(length), len(stream) - length, length)
            windows = [stream[i : i + length + 1] for i in random.permutation(starts)]
        yield np.stack([windows.pop() for _ in range(TOKENS_PER_STEP // length)])


def split_chapters(text: str) -> list[str]:
    """Our files: chapters separated by one blank line, one newline at the end of the file."""
    return text.removesuffix("\n").split("\n\n")


def encode_chapter(tokenizer, chapter: str) -> list[int]:
    return [BEGIN, *tokenizer.encode(chapter, add_special_tokens=False).ids, END]


def nats(logits, targets):
    """logits f32 [B, T, V], targets i32 [B, T] -> -ln p of the targets, f32 [B, T]."""
    return -jax.numpy.take_along_axis(jax.nn.log_softmax(logits, axis=-1), targets[..., None], axis=-1)[..., 0]


def held_out_windows(tokenizer, text: str):
    """windows i32 [n, WINDOW + 1], padded with END, and counted bool [n, WINDOW]: whether the target is scored.

    The network sees WINDOW tokens at a time and moves on by STRIDE: the first window of a chapter scores all its
    targets, each later one those the window before did not reach.
    """
    windows, counted = [], []
    for chapter in split_chapters(text):
        ids = encode_chapter(tokenizer, chapter)
        for start in range(0, len(ids) - 1, STRIDE):
            window = ids[start : start + WINDOW + 1]
            count = np.zeros(WINDOW, bool)
            count[0 if start == 0 else STRIDE : len(window) - 1] = True
            windows.append(window + [END] * (WINDOW + 1 - len(window)))
            counted.append(count)
            if start + WINDOW >= len(ids) - 1:
                break
    return np.array(windows, np.int32), np.array(counted)


def evaluate(net, weights, tokenizer, text: str, quantised: bool = False) -> tuple[float, float]:
    """Bits per byte of every token after BEGIN, END included, over the bytes of the chapters (blank lines not counted);
    and the mean fraction of hidden neurons that are not zero at the scored positions (nan for a network without any)."""

    @jax.jit
    def losses(weights, batch):
        logits, hidden = net.run(weights, batch[:, :-1], **({"quantised": True} if quantised else {}))
        return nats(logits, batch[:, 1:]), sum((h != 0).mean(-1) for h in hidden) / max(1, len(hidden))

    if quantised:
        weights = jax.jit(net.quantised_weights)(weights)
    windows, counted = held_out_windows(tokenizer, text)
    total = active = 0.0
    for i in range(0, len(windows), 8):
        batch = np.zeros((8, WINDOW + 1), np.int32)
        batch[: len(windows[i : i + 8])] = windows[i : i + 8]
        count = np.zeros((8, WINDOW), bool)
        count[: len(windows[i : i + 8])] = counted[i : i + 8]
        value, alive = losses(weights, batch)
        total += np.asarray(value, np.float64)[count].sum()
        active += (np.broadcast_to(np.asarray(alive, np.float64), count.shape)[count]).sum() if np.ndim(alive) else np.nan
    return total / np.log(2) / sum(len(chapter.encode()) for chapter in split_chapters(text)), active / counted.sum()
