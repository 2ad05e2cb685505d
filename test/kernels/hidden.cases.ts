// hidden: every multiplication of it is one f32 operation, so bit-exact.
import { format as i8tok } from "../../runtime/act/i8tok.ts";
import type { OperandArray } from "../../runtime/ops/define.ts";
import { CONTROL, CONTROL_WORDS, FFN_MODES, type FfnMode } from "../../runtime/ops/select/control.ts";
import { LIST_HEAD, writeList } from "../../runtime/ops/select/list.ts";
import { scheme } from "../../runtime/quant/q4n.ts";
import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";

interface How {
  readonly mode: FfnMode;
  readonly n: number;
  readonly rows?: number;
  readonly k?: number;
  readonly gated?: boolean;
  readonly picks?: boolean;
  readonly only?: readonly number[] | "all";
  /** Of so many neurons, the first ones, the rows lie apart, in order. */
  readonly compact?: number;
  readonly limit?: number;
  readonly eps?: number;
  readonly hidden?: boolean;
  /** Of so many neurons s is not 0. */
  readonly active?: number;
}

const listOf = (t: OperandArray) => (t as Uint32Array).slice(0, t[1] ? LIST_HEAD + t[0] : LIST_HEAD);

function make({ mode, n, rows = 1, k = 40, gated = true, picks = true, only, compact, limit = n, eps = 0, hidden = false, active = n }: How): Case {
  const control = new Uint32Array(CONTROL_WORDS);
  control[CONTROL.mode] = FFN_MODES.indexOf(mode);
  control[CONTROL.limit] = limit;
  new Float32Array(control.buffer)[CONTROL.eps] = eps;
  const ys = i8tok.bytes(n);
  const tensors = () => {
    const w = new Uint8Array(scheme.bytes(n, k));
    scheme.encode(normal(n * k, 4, 0.05), n, k, w);
    const list = new Uint32Array(LIST_HEAD + n);
    writeList(list, n, only === "all" ? undefined : only);
    return {
      s: normal(rows * n, 1).map((v, i) => (((i % n) * 13) % n < active ? v : 0)),
      ...(gated ? { u: normal(rows * n, 2) } : {}),
      ...(only ? { only: list } : {}),
      ...(compact ? ordered(compact, n, k) : {}),
      w,
      norms: normal(n, 3).map(Math.abs),
      control: control.slice(),
      y: new Uint8Array(rows * ys).fill(0x77),
      ...(picks ? { picks: new Uint32Array(LIST_HEAD + n).fill(0xffffff) } : {}),
      ...(hidden ? { hidden: normal(rows * n, 5) } : {}),
    };
  };
  /** A set that says so, the neurons, and their rows: other scales than those of w. */
  const ordered = (many: number, all: number, width: number) => {
    const set = new Uint32Array(LIST_HEAD + all);
    writeList(set, many, undefined, true);
    const core = new Uint32Array(LIST_HEAD + all);
    writeList(
      core,
      all,
      Array.from({ length: many }, (_, i) => all - many + i),
      true,
    );
    const rows = new Uint8Array(scheme.bytes(many, width));
    scheme.encode(normal(many * width, 9, 0.2), many, width, rows);
    return { only: set, core, compact: rows };
  };
  /** Scale and codes of each row: what `rowsum` reads. */
  const rowsOf = (t: OperandArray) =>
    Float32Array.from(
      Array.from({ length: rows }, (_, r) => {
        const { codes, scale } = i8tok.decode((t as Uint8Array).subarray(r * ys), n);
        return [scale, ...codes];
      }).flat(),
    );
  return {
    name: `${mode}, n ${n}, rows ${rows}${gated ? ", gated" : ""}${picks ? "" : ", no picks"}${only ? `, only ${only.length}` : ""}${compact ? `, ${compact} in order` : ""}${limit < n ? `, limit ${limit}` : ""}${eps ? `, eps ${eps}` : ""}${hidden ? ", hidden" : ""}${active < n ? `, active ${active}` : ""}`,
    variant: "q4n",
    rows,
    values: { n, k },
    strides: { s: n, u: gated ? n : 0, y: ys, hidden: hidden ? n : 0 },
    tensors,
    compare: { y: "exact", ...(picks ? { picks: "exact", control: "exact" } : {}), ...(hidden ? { hidden: "exact" } : {}) },
    view: { y: rowsOf, picks: listOf },
  };
}

export const cases: Case[] = [
  ...[1, 3, 15, 16, 17, 40, 130].flatMap((n) => [make({ mode: "dense", n }), make({ mode: "exact", n, gated: n % 2 === 0, active: n >> 1 })]),
  ...[0, 1, 3].map((rows) => make({ mode: "exact", n: 33, rows, picks: false, hidden: true })),
  make({ mode: "cett", n: 50, rows: 3, picks: false, eps: 0.5, hidden: true }),
  make({ mode: "cett", n: 50, eps: 0.5, hidden: true }),
  make({ mode: "cett", n: 50, eps: 0.5, only: [1, 2, 5, 8, 17, 33, 49], hidden: true }),
  make({ mode: "cett", n: 50, eps: 1e9, hidden: true }),
  make({ mode: "exact", n: 50, only: [0, 16, 17, 48], hidden: true }),
  make({ mode: "exact", n: 50, only: [], hidden: true }),
  make({ mode: "topk", n: 50, only: "all", active: 9 }),
  make({ mode: "exact", n: 50, only: "all", limit: 10 }),
  ...[1, 15, 16, 33, 50].flatMap((compact) => [
    make({ mode: "core", n: 50, compact, hidden: compact % 2 === 1 }),
    make({ mode: "core", n: 50, compact, gated: false, limit: 20, active: 25 }),
  ]),
  make({ mode: "core", n: 50, only: [3, 4, 5, 30], gated: false, limit: 1 }),
];
