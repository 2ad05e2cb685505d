// Images for the command line: binary PGM files (P5, 8 bits), the one format that needs no library, and what is raw.
import { readFileSync } from "node:fs";
import { SkintError } from "../../runtime/errors.ts";
import { attempt } from "../../targets/hosts/node/files.ts";

/** P5, width, height, greatest value, one white space; comments between them. */
const HEAD = /^P5(?:\s+|#[^\n]*\n)+(\d{1,6})(?:\s+|#[^\n]*\n)+(\d{1,6})(?:\s+|#[^\n]*\n)+(\d{1,5})\s/;
const HEAD_BYTES = 1024;

/** Pixels u8 [height, width, 1] of a PGM file. Throws `format.header`, `format.shape`, `format.truncated`. */
export function readImage(path: string, [height, width, channels]: readonly [number, number, number]): Uint8Array {
  const bytes = new Uint8Array(attempt(path, "read", () => readFileSync(path)));
  const head = HEAD.exec(new TextDecoder("latin1").decode(bytes.subarray(0, HEAD_BYTES)));
  if (!head || Number(head[3]) !== 255)
    throw new SkintError("format.header", `${path} is no binary PGM file of 8 bits (P5 … 255); write one, or give raw bytes on standard input`, { what: path });
  const [w, h] = [Number(head[1]), Number(head[2])];
  if (w !== width || h !== height || channels !== 1)
    throw new SkintError("format.shape", `${path} is ${w} × ${h} of one channel, the model looks at ${width} × ${height} of ${channels}`, { what: path });
  const pixels = bytes.subarray(head[0].length, head[0].length + w * h);
  if (pixels.length < w * h) throw new SkintError("format.truncated", `${path} ends after ${pixels.length} of ${w * h} pixels`, { what: path });
  return pixels;
}
