# Writes golden.json beside itself: the logits that Hugging Face's `transformers` computes for every case of cases.json.
#   python3 -m venv venv && venv/bin/pip install transformers==5.23.0 torch==2.7.1 numpy && venv/bin/python test/models/oracle.py
# Each case becomes a checkpoint folder whose weights are hashes of their names (support/hashed.ts makes the same ones), loaded by
# from_pretrained and run once over all tokens in f64 (the framework itself makes norms, angles and softmax in f32). Kept are
#   tensors   names and shapes as save_pretrained writes them
#   config    config.json as save_pretrained writes it today: another spelling of the same model
#   logits    base64 of f32 little-endian [tokens, vocab]
import base64
import json
import os
import pathlib
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
import transformers
from safetensors import safe_open
from safetensors.numpy import save_file
from transformers import AutoConfig, AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent


def hashed(name, shape, gemma):
    """Uniform in [-1, 1), then: tables as they are, other matrices a quarter, vectors a half; norms lie around 1, but Gemma's around 0."""
    seed = np.uint32(2166136261)
    with np.errstate(over="ignore"):
        for byte in name.encode():
            seed = (seed ^ np.uint32(byte)) * np.uint32(16777619)
        h = seed + np.arange(np.prod(shape), dtype=np.uint32) * np.uint32(0x9E3779B9)
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        h = h ^ (h >> np.uint32(16))
    unit = (h >> np.uint32(8)).astype(np.float64) / 2**23 - 1
    if len(shape) > 1:
        values = unit * (1 if any(table in name for table in ("embed_tokens", "wte", "wpe")) else 0.25)
    else:
        norm = name.endswith("weight")
        values = unit / 2 + (1 if norm and not gemma else 0)
    return values.astype(np.float32).reshape(shape)


def run(config, tokens):
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        a, b = pathlib.Path(a), pathlib.Path(b)
        (a / "config.json").write_text(json.dumps(config))
        AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(a)).save_pretrained(b)
        with safe_open(b / "model.safetensors", "np") as f:
            tensors = {name: f.get_slice(name).get_shape() for name in f.keys()}
        gemma = config["model_type"].startswith("gemma")
        save_file({name: hashed(name, shape, gemma) for name, shape in tensors.items()}, a / "model.safetensors", {"format": "pt"})
        model, info = AutoModelForCausalLM.from_pretrained(a, dtype=torch.float64, attn_implementation="eager", output_loading_info=True)
        assert not any(info.values()), info
        with torch.no_grad():
            logits = model(torch.tensor([tokens])).logits[0].numpy()
        saved = json.loads((b / "config.json").read_text())
    return {"tensors": tensors, "config": saved, "logits": base64.b64encode(logits.astype("<f4").tobytes()).decode()}


def main():
    document = json.loads((HERE / "cases.json").read_text())
    cases = {name: run({**document["bases"][c["base"]], **c["config"]}, document["tokens"]) for name, c in document["cases"].items()}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items())
    (HERE / "golden.json").write_text(f'{{"transformers": "{transformers.__version__}", "cases": {{\n{lines}\n}}}}\n')


main()
