"""Text for the models of the house: King James chapters from Debian's bible-kjv-text (standard library only).

    python3 prepare_text.py OUT_DIR [--data /usr/lib/bible.data]

Writes OUT_DIR/train.txt, heldout.txt and calibration.txt, always the same bytes. A file is chapters separated by one
blank line, with one newline at its end; a chapter is a heading line ("Genesis 1") and one line a verse, no verse numbers.
heldout.txt: whole chapters that are not in train.txt. calibration.txt: whole chapters that are.

Exit codes: 0 done, 1 the data is not what we expect, 3 the package is absent.
"""

import argparse
import pathlib
import re
import struct
import sys

# Abbreviation in the data file -> name in our headings, in the order of the books.
BOOKS = dict(
    pair.split("=")
    for pair in (
        "Ge=Genesis|Exo=Exodus|Lev=Leviticus|Num=Numbers|Deu=Deuteronomy|Josh=Joshua|Jdgs=Judges|Ruth=Ruth|1Sm=1 Samuel|"
        "2Sm=2 Samuel|1Ki=1 Kings|2Ki=2 Kings|1Chr=1 Chronicles|2Chr=2 Chronicles|Ezra=Ezra|Neh=Nehemiah|Est=Esther|"
        "Job=Job|Psa=Psalm|Prv=Proverbs|Eccl=Ecclesiastes|SSol=Song of Solomon|Isa=Isaiah|Jer=Jeremiah|Lam=Lamentations|"
        "Eze=Ezekiel|Dan=Daniel|Hos=Hosea|Joel=Joel|Amos=Amos|Obad=Obadiah|Jonah=Jonah|Mic=Micah|Nahum=Nahum|"
        "Hab=Habakkuk|Zep=Zephaniah|Hag=Haggai|Zec=Zechariah|Mal=Malachi|Mat=Matthew|Mark=Mark|Luke=Luke|John=John|"
        "Acts=Acts|Rom=Romans|1Cor=1 Corinthians|2Cor=2 Corinthians|Gal=Galatians|Eph=Ephesians|Phi=Philippians|"
        "Col=Colossians|1Th=1 Thessalonians|2Th=2 Thessalonians|1Tim=1 Timothy|2Tim=2 Timothy|Titus=Titus|Phmn=Philemon|"
        "Heb=Hebrews|Jas=James|1Pet=1 Peter|2Pet=2 Peter|1Jn=1 John|2Jn=2 John|3Jn=3 John|Jude=Jude|Rev=Revelation"
    ).split("|")
)

# (book, first chapter, last chapter). Held out: law, history, poetry, prophets, gospel, acts, letters, vision. We avoid
# chapters that the text repeats almost word for word elsewhere (Kings/Chronicles, Psalm 14/53, the first three gospels).
HELD_OUT = [
    ("Genesis", 43, 44),
    ("Exodus", 17, 18),
    ("1 Samuel", 24, 25),
    ("Job", 38, 39),
    ("Psalm", 102, 103),
    ("Proverbs", 15, 16),
    ("Isaiah", 54, 55),
    ("Ezekiel", 37, 37),
    ("John", 9, 9),
    ("Acts", 17, 17),
    ("1 Corinthians", 13, 13),
    ("Revelation", 5, 5),
]
CALIBRATION = [
    ("Genesis", 27, 28),
    ("Deuteronomy", 8, 9),
    ("Judges", 7, 7),
    ("2 Samuel", 18, 18),
    ("Psalm", 90, 90),
    ("Proverbs", 3, 4),
    ("Isaiah", 42, 43),
    ("Luke", 15, 15),
    ("John", 15, 16),
    ("Romans", 8, 8),
    ("Hebrews", 12, 12),
    ("Revelation", 21, 21),
]
LIMIT = 65536  # bytes, for each of the two excerpts


def unlzw(data: bytes) -> bytes:
    """Expands one window: the code stream of compress(1), 9 to 16 bits a code, code 256 = start again, no magic number.

    compress writes its codes in groups of eight and fills the group when the width changes.
    """
    table = [bytes([i]) for i in range(256)] + [b""]
    width, bit, group_start, previous, out = 9, 0, 0, None, []

    def change_width(new_width: int) -> None:
        nonlocal bit, group_start, width
        group = width * 8
        bit = group_start + -(-(bit - group_start) // group) * group
        group_start, width = bit, new_width

    while bit + width <= len(data) * 8:
        code = int.from_bytes(data[bit >> 3 : (bit >> 3) + 4], "little") >> (bit & 7) & ((1 << width) - 1)
        bit += width
        if code == 256:
            del table[257:]
            change_width(9)
            previous = None
            continue
        if previous is None:
            entry = table[code]
        else:
            entry = table[code] if code < len(table) else previous + previous[:1]
            if len(table) < 1 << 16:
                table.append(previous + entry[:1])
        out.append(entry)
        previous = entry
        if len(table) >= 1 << width and width < 16:
            change_width(width + 1)
    return b"".join(out)


def read_bible(path: pathlib.Path) -> str:
    """Decodes Debian's bible.data: big-endian u32 window count at byte 88, then count + 1 offsets, then the windows."""
    data = path.read_bytes()
    if data[:20] != b"EC02Compressed Data ":
        raise ValueError(f"{path} does not start with the mark 'EC02Compressed Data'")
    (count,) = struct.unpack_from(">I", data, 88)
    offsets = struct.unpack_from(f">{count + 1}I", data, 92)
    if list(offsets) != sorted(offsets) or offsets[-1] != len(data):
        raise ValueError(f"{path}: the window table does not match the file's {len(data)} bytes")
    return b"".join(unlzw(data[a:b]) for a, b in zip(offsets, offsets[1:])).decode("ascii")


def read_chapters(text: str) -> dict[tuple[str, int], str]:
    """{(book, chapter): heading and verses}, in the order of the text. Lines look like 'Ge1:1 In the beginning …'."""
    chapters: dict[tuple[str, int], list[str]] = {}
    for line in text.splitlines()[1:]:  # the first line is a title
        match = re.fullmatch(r"(\d?[A-Za-z]+)(\d+):\d+ (.+)", line)
        if not match:
            raise ValueError(f"not a verse: {line[:60]!r}")
        key = (BOOKS[match[1]], int(match[2]))
        chapters.setdefault(key, [f"{key[0]} {key[1]}"]).append(" ".join(match[3].split()))
    return {key: "\n".join(lines) for key, lines in chapters.items()}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("out", type=pathlib.Path)
    arguments.add_argument("--data", type=pathlib.Path, default=pathlib.Path("/usr/lib/bible.data"))
    options = arguments.parse_args()
    if not options.data.exists():
        print(f"{options.data} is absent: install it with `apt-get install bible-kjv-text`.", file=sys.stderr)
        return 3
    chapters = read_chapters(read_bible(options.data))
    if len(chapters) != 1189:
        raise ValueError(f"expected 1189 chapters, found {len(chapters)}")
    held_out = [(book, n) for book, first, last in HELD_OUT for n in range(first, last + 1)]
    calibration = [(book, n) for book, first, last in CALIBRATION for n in range(first, last + 1)]
    train = [key for key in chapters if key not in held_out]
    options.out.mkdir(parents=True, exist_ok=True)
    for name, keys in ("train", train), ("heldout", held_out), ("calibration", calibration):
        data = ("\n\n".join(chapters[key] for key in keys) + "\n").encode("ascii")
        if name != "train" and len(data) > LIMIT or name == "calibration" and not set(keys) <= set(train):
            raise ValueError(f"{name}: {len(data)} bytes; at most {LIMIT}, and calibration must come from train")
        (options.out / f"{name}.txt").write_bytes(data)
        print(f"{name}.txt: {len(keys)} chapters, {len(data)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
