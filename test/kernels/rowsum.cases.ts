// rowsum: integer sums, so bit-exact. Numbers of rows around a batch of 32, channels around runs of 32, odd numbers of rows picked, none, all.
import { format as i8tok } from "../../runtime/act/i8tok.ts";
import { writeList } from "../../runtime/ops/select/list.ts";
import { rowOffset, scheme } from "../../runtime/quant/q4n.ts";
import { normal, random } from "../support/data.ts";
import type { Case } from "./case.ts";

interface Shape {
  readonly n: number;
  readonly k: number;
  readonly rows?: number;
  /** Share of the rows that is picked; without it there is no list, `all`: a list that stands for all. */
  readonly picked?: number | "all";
  /** So many rows lie apart, in order. */
  readonly compact?: number;
  readonly bias?: boolean;
  readonly extremes?: boolean;
}

function make({ n, k, rows = 1, picked, compact, bias = false, extremes = false }: Shape): Case {
  const xs = i8tok.bytes(n);
  const r = random(3);
  const rowsPicked = typeof picked === "number" ? Array.from({ length: n }, (_, j) => j).filter(() => r() < picked) : undefined;
  const count = rowsPicked?.length ?? compact ?? n;
  const weights = () => {
    const w = new Uint8Array(scheme.bytes(n, k));
    if (extremes) {
      const codes = Int8Array.from({ length: n * k }, (_, i) => [-8, 7, i % 2 ? 7 : -8][(i % k) % 3]);
      scheme.pack(codes, new Float32Array(n).fill(1), n, k, w);
    } else scheme.encode(normal(n * k, 4, 0.05), n, k, w);
    return w;
  };
  const codes = (t: number) => (extremes ? new Float32Array(n).fill(t % 2 ? -127 : 127) : normal(n, 10 + t)).fill(0, count);
  const tensors = () => {
    const x = new Uint8Array(rows * xs).fill(0x77);
    for (let t = 0; t < rows; t++) i8tok.encode(codes(t), x.subarray(t * xs, (t + 1) * xs), 0);
    const picks = new Uint32Array(4 + n).fill(0xffffff);
    writeList(
      picks,
      n,
      rowsPicked?.map((j) => rowOffset(j, k)),
      compact !== undefined,
    );
    if (compact !== undefined && !rowsPicked) picks[0] = compact;
    const apart = new Uint8Array(compact ? scheme.bytes(n, k) : 0);
    if (compact) scheme.encode(normal(n * k, 8, 0.05), n, k, apart);
    return {
      x,
      ...(picked === undefined ? {} : { picks }),
      ...(compact ? { compact: apart } : {}),
      w: weights(),
      channels: normal(k, 5),
      ...(bias ? { bias: normal(k, 6) } : {}),
      y: normal(rows * k, 7),
    };
  };
  return {
    name: `n ${n}, k ${k}, rows ${rows}${picked === undefined ? "" : `, picked ${picked}`}${compact ? `, ${compact} in order` : ""}${bias ? ", bias" : ""}${extremes ? ", extremes" : ""}`,
    variant: "q4n",
    rows,
    values: { n, k },
    strides: { x: xs, y: k },
    tensors,
    compare: { y: "exact" },
  };
}

export const cases: Case[] = [
  ...[1, 2, 16, 31, 32, 33, 63, 65, 130].map((n) => make({ n, k: 40, bias: n % 2 === 0 })),
  ...[1, 3, 4, 5, 8, 15, 31, 32, 33, 63, 64, 65, 95, 96, 160].map((k) => make({ n: 35, k, bias: k % 2 === 1, picked: 0.4 })),
  ...[0, 1, 2, 5].map((rows) => make({ n: 50, k: 72, rows, bias: rows === 2 })),
  ...[0, 0.03, 0.1, 0.5, 1, "all" as const].map((picked) => make({ n: 200, k: 100, picked })),
  ...[0.5, undefined].map((picked) => make({ n: 140, k: 70, picked, extremes: true })),
  make({ n: 70, k: 64, rows: 2, extremes: true }),
  ...[1, 16, 17, 40, 64].map((compact) => make({ n: 64, k: 200, picked: "all", compact })),
  make({ n: 64, k: 100, picked: 0.5, compact: 64 }),
  // a list whose rows lie far apart, and one of more than are brought near at a time
  ...[0.04, 0.4].map((picked) => make({ n: 250, k: 320, picked })),
];
