# Writes gguf-golden.json beside itself: small vocabularies of the three kinds a GGUF file can hold, and what PyPI `tokenizers` and `sentencepiece` make of texts.
#   python3 -m venv venv && venv/bin/pip install tokenizers==0.23.3 sentencepiece==0.2.3 && venv/bin/python test/text/gguf-oracle.py
# The byte-level vocabulary is trained on texts that are not cut into words, so that a cut at another place gives other tokens.
import io
import json
import pathlib

import sentencepiece
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
CALIBRATION = (HERE / "../../models/tiny-swiglu/calibration.txt").read_text()[:60_000]
TEXTS = [
    "Hello world! It's a test, isn't it? WE'LL SEE; they'Ve said: I'd go.",
    "def f(x):\n    if x > 10:\n\n\n        return x ** 2  # square\n\treturn None\r\n",
    "  leading, trailing and   inner    spaces  ",
    "1 12 123 1234 12345 1234567890 3.14159 1,000,000 x2 2x",
    "naïve café über Straße ŁÓDŹ ÀÉÎÕÜ éÀb camelCaseWord HTTPServer",
    "Привет, мир! Γειά σου Κόσμε. مرحبا بالعالم שלום עולם",
    "漢字かな交じり文。カタカナ、한국어 텍스트 ไทย ১২৩ Ⅻ ½ ²",
    "👩‍👩‍👧 🇩🇪 e\u0301 a\u0308\u0301 क्षि",
    "\u00a0no\u3000break\u2003spaces\u0085here\u200bzero\ufeffbom",
    "<|user|>two\n<|end|><|user|> more<|end|>",
    "_  \u3000한。\u2003漢 \u3000!?",
    "\n\n \n  \n\t\n",
    "... !!! ?!? --- === <=> $5 + 7^2 ~ `code` |pipe| @me #tag 50% \\n",
    "a",
    " ",
    "",
    "the the the of the and in the " * 8,
    "aaaaaaaaaaaaaaa bbbbbbbb ababababab              x",
]
ANY_CASE = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
WORDS = ANY_CASE + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# As the models were published; the names are llama.cpp's.
PUBLISHED = {
    "gpt-2": [GPT2],
    "llama-bpe": [WORDS % "{1,3}"],
    "qwen2": [WORDS % ""],
    "smollm": [r"\p{N}", GPT2],
    "deepseek-v3": [
        r"\p{N}{1,3}",
        r"[一-龥\u3040-ゟ゠-ヿ]+".replace(r"\u3040", "\u3040"),
        r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ],
}
NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = range(1, 7)


def byte_level():
    specials = ["<|begin|>", "<|end|>", "<|user|>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=900, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False, max_token_length=12
    )
    tokenizer.train_from_iterator([CALIBRATION[i : i + 200] for i in range(0, len(CALIBRATION), 200)] + TEXTS * 12, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    ids = {}
    for name, patterns in PUBLISHED.items():
        other = Tokenizer(models.BPE(model["vocab"], [tuple(m) for m in model["merges"]], ignore_merges=name == "llama-bpe"))
        other.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in specials])
        cut = [pre_tokenizers.Split(Regex(p), "isolated") for p in patterns]
        other.pre_tokenizer = pre_tokenizers.Sequence([*cut, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
        ids[name] = [other.encode(text).ids for text in TEXTS]
    types = [CONTROL if t in specials else NORMAL for t in tokens]
    return {"tokens": tokens, "types": types, "merges": [" ".join(m) for m in model["merges"]], "ids": ids}


def sentence_piece(kind, **options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CALIBRATION.splitlines() + TEXTS * 6),
        model_writer=model,
        model_type=kind,
        vocab_size=900,
        character_coverage=0.995,
        minloglevel=2,
        num_threads=1,
        **options,
    )
    sp = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    size = sp.vocab_size()

    def kind_of(i):
        if sp.is_unknown(i):
            return UNKNOWN
        if sp.is_control(i):
            return CONTROL
        if sp.is_byte(i):
            return BYTE
        return USER if sp.id_to_piece(i) in options.get("user_defined_symbols", []) else NORMAL

    return {
        "tokens": [sp.id_to_piece(i) for i in range(size)],
        "scores": [sp.get_score(i) for i in range(size)],
        "types": [kind_of(i) for i in range(size)],
        "ids": [sp.encode(text) for text in TEXTS],
        "texts": [sp.decode(sp.encode(text)) for text in TEXTS],
    }


raw = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False, "split_digits": True, "byte_fallback": True, "allow_whitespace_only_pieces": True}
golden = {
    "tokenizers": tokenizers.__version__,
    "sentencepiece": sentencepiece.__version__,
    "input": TEXTS,
    "gpt2": byte_level(),
    "llama": sentence_piece("bpe", **raw),
    "t5": sentence_piece("unigram", pad_id=0, eos_id=1, unk_id=2, bos_id=-1),
}
path = HERE / "gguf-golden.json"
path.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")
print(path.name, path.stat().st_size, "bytes")
