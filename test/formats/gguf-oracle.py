# Writes gguf-golden.json beside itself: number, elements and bytes of every type; blocks of every type that Skint reads as f32, and what PyPI `gguf` decodes them to;
# and files that its writer makes, whole and in parts.
#   python3 -m venv venv && venv/bin/pip install gguf==0.19.0 numpy && venv/bin/python test/formats/gguf-oracle.py
# A type has six blocks: two with scales as models have them, then one each with scales -0, subnormal, infinite and NaN; all other bytes are random,
# but in the fourth, where they are 0xff, and in the third, where they are 0. Every NaN is written as 0x7fc00000. Texts are base64 of zlib streams.
import base64
import json
import pathlib
import tempfile
import zlib

import gguf
import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import dequantize

HALVES = {
    T.F32: [], T.F16: [0], T.BF16: [0], T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0],
    T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
}  # fmt: skip
SPECIAL = [0x8000, 0x0001, 0x7C00, 0x7E01]


def packed(array):
    return base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()


def make(dtype, random):
    elements, size = GGML_QUANT_SIZES[dtype]
    # Plain types have one element a block: 64 of them make more of a test than six.
    count = 64 if elements == 1 else 6
    blocks = random.integers(0, 256, (count, size), dtype=np.uint8)
    if elements > 1:
        blocks[2] = 0
        blocks[3] = 0xFF
        for i, block in enumerate(blocks):
            for at in HALVES[dtype]:
                half = random.uniform(-0.02, 0.02) if i < 2 else 0
                bits = np.float16(half).view(np.uint16) if i < 2 else np.uint16(SPECIAL[i - 2])
                block[at : at + 2] = np.frombuffer(bits.tobytes(), np.uint8)
    with np.errstate(all="ignore"):
        values = np.array(dequantize(blocks.reshape(1, -1), dtype), np.float32).reshape(-1)
    bits = values.view(np.uint32).copy()
    bits[np.isnan(values)] = 0x7FC00000
    return {"blocks": packed(blocks), "values": packed(bits)}


def written(folder, name, alignment=None, **options):
    """What test/formats/gguf.test.ts states about these files: keep both alike."""
    writer = gguf.GGUFWriter(folder / name, "llama", **options)
    if alignment:
        writer.add_custom_alignment(alignment)
    writer.add_block_count(2)
    writer.add_layer_norm_rms_eps(0.5)
    writer.add_causal_attention(True)
    writer.add_token_list(["<s>", "ä", "漢字"])
    writer.add_token_scores([0.0, -1.5, 2.0])
    writer.add_token_types([3, 1, 1])
    writer.add_tensor("a.weight", np.arange(6, dtype=np.float32).reshape(2, 3))
    writer.add_tensor("b.weight", np.arange(8, dtype=np.float16).reshape(4, 2))
    writer.add_tensor("c.weight", gguf.quantize(np.arange(128, dtype=np.float32).reshape(2, 64), T.Q8_0), raw_dtype=T.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def files():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        written(folder, "whole.gguf", alignment=64)
        # Not aligned so: the writer leaves the key out of all parts but the first, and ggml misreads the others.
        written(folder, "parts.gguf", split_max_tensors=1)
        return {file.name: packed(np.frombuffer(file.read_bytes(), np.uint8)) for file in sorted(folder.iterdir())}


random = np.random.default_rng(20240607)
sizes = {dtype.name: [int(dtype), *GGML_QUANT_SIZES[dtype]] for dtype in T}
golden = {"gguf": "0.19.0", "sizes": sizes, "types": {dtype.name: make(dtype, random) for dtype in HALVES}, "files": files()}
path = pathlib.Path(__file__).with_name("gguf-golden.json")
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(path.name, path.stat().st_size, "bytes, gguf from", pathlib.Path(gguf.__file__).parent.name)
