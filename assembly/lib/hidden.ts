// What lies between the second matrix of a sparse feed-forward layer and the last (runtime/ops/hidden).
import { HiddenOp } from "../abi.gen";
import { CETT, count, DENSE, DOWN_ROWS, EPS, LIMIT, MODE } from "./control";
import { CODES_AT, padded, panelAt } from "./i8row";
import { blockBytes, ENTRIES_AT, entriesOf, isCompact, rowAt, rowOf, scaleAt, touchScales, writeHead } from "./q4n";
import { start } from "./split";

/** How rows are gone through. A class without fields. */
export interface Maker {
  /** h = s · u (u = 0: s), f32 [n]; h may be neither. */
  gate(s: usize, u: usize, h: usize, n: u32): void;
  /** f = h · scales of 16 rows of w (or those below n), f32; f may be h. */
  scale(h: usize, scales: usize, f: usize, n: u32): void;
  /** f32 [n] → i8tok row y, whose panel's place x may be. */
  encode(x: usize, n: u32, y: usize): void;
  /** The same without what stands behind the codes: `codes` i8 [n]; returns the scale. */
  encodeSome(x: usize, n: u32, codes: usize): f32;
}

/** A unit owns whole rows; with picks there is one. */
export function makeRows<M extends Maker>(p: usize, unit: u32, units: u32): void {
  const op = changetype<HiddenOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  const entries = op.picks ? entriesOf(op.only) : 0;
  const compact = op.picks != 0 && isCompact(op.only);
  // scales lie apart: all are sent for before the first is waited for
  touchScales(compact ? op.compact : op.w, compact ? load<u32>(op.only) : op.n, op.k);
  if (compact || entries) {
    if (start(unit, units, rows) == end) return;
    if (compact) ordered<M>(op, load<u32>(op.only), op.s, op.u, op.hidden, op.y);
    else some<M>(op, entries, load<u32>(op.only), op.s, op.u, op.hidden, op.y);
    return;
  }
  for (let r = start(unit, units, rows); r < end; r++) {
    const s = <usize>op.s + ((<usize>r * op.ss) << 2);
    const u = op.u ? <usize>op.u + ((<usize>r * op.us) << 2) : 0;
    const h = op.hidden ? <usize>op.hidden + ((<usize>r * op.hs) << 2) : 0;
    const y = <usize>op.y + <usize>r * op.ys;
    all<M>(op, s, u, h, y);
    if (op.picks) pick(op, y);
  }
}

/** Is neuron j's contribution too small? */
function drops(op: HiddenOp, h: f32, j: u32): bool {
  return abs<f32>(h) * load<f32>(<usize>op.norms + ((<usize>j) << 2)) < load<f32>(op.control, EPS);
}

function all<M extends Maker>(op: HiddenOp, s: usize, u: usize, hidden: usize, y: usize): void {
  const it = changetype<M>(0);
  const f = y + panelAt(op.n);
  const h = hidden ? hidden : f;
  it.gate(s, u, h, op.n);
  if (load<u32>(op.control, MODE) == CETT) for (let j: u32 = 0; j < op.n; j++) if (drops(op, load<f32>(h + ((<usize>j) << 2)), j)) store<f32>(h + ((<usize>j) << 2), 0);
  scaleAll<M>(h, op.w, f, op.n, op.k);
  it.encode(f, op.n, y);
}

/** f = h · scales of the first n rows of w. */
function scaleAll<M extends Maker>(h: usize, w: usize, f: usize, n: u32, k: u32): void {
  for (let j: u32 = 0; j < n; j += 16) {
    changetype<M>(0).scale(h + ((<usize>j) << 2), w, f + ((<usize>j) << 2), min(n - j, 16));
    w += blockBytes(k);
  }
}

/** Rows whose code is not 0 come to the front, if they are to be listed and are not too many. */
function pick(op: HiddenOp, y: usize): void {
  const control = <usize>op.control;
  const codes = y + CODES_AT;
  let many = op.n;
  if (load<u32>(control, MODE) != DENSE) {
    many = 0;
    for (let j: u32 = 0; j < op.n; j++) many += load<i8>(codes + j) != 0 ? 1 : 0;
  }
  const listed = load<u32>(control, MODE) != DENSE && many <= load<u32>(control, LIMIT);
  if (listed) front(op, codes, op.n, 0);
  else many = op.n;
  writeHead(op.picks, many, listed, false);
  count(control, DOWN_ROWS, many);
}

/** Moves the codes of `many` rows that are not 0 to the front, writes where their rows are, and clears the rest; returns how many there are. */
function front(op: HiddenOp, codes: usize, many: u32, entries: usize): u32 {
  const offsets = <usize>op.picks + ENTRIES_AT;
  let to: u32 = 0;
  for (let i: u32 = 0; i < many; i++) {
    const code = load<i8>(codes + i);
    store<i8>(codes + to, code);
    store<u32>(offsets + ((<usize>to) << 2), <u32>rowAt(0, rowOf(entries, i), op.k));
    to += code != 0 ? 1 : 0;
  }
  memory.fill(codes + to, 0, padded(op.n) - to);
  return to;
}

/** The neurons listed. */
function some<M extends Maker>(op: HiddenOp, entries: usize, many: u32, s: usize, u: usize, hidden: usize, y: usize): void {
  const cett = load<u32>(op.control, MODE) == CETT;
  const f = y + panelAt(op.n);
  if (hidden) memory.fill(hidden, 0, (<usize>op.n) << 2);
  for (let i: u32 = 0; i < many; i++) {
    const j = load<u32>(entries + ((<usize>i) << 2));
    const at = (<usize>j) << 2;
    let h = load<f32>(s + at);
    if (u) h *= load<f32>(u + at);
    if (cett && drops(op, h, j)) h = 0;
    if (hidden) store<f32>(hidden + at, h);
    store<f32>(f + ((<usize>i) << 2), h * load<f32>(scaleAt(op.w, j, op.k)));
  }
  memory.fill(y, 0, CODES_AT);
  store<f32>(y, changetype<M>(0).encodeSome(f, many, y + CODES_AT));
  const left = front(op, y + CODES_AT, many, entries);
  writeHead(op.picks, left, true, false);
  count(op.control, DOWN_ROWS, left);
}

/** The first `many` of s and u, which are those of the rows of the compact matrix. */
function ordered<M extends Maker>(op: HiddenOp, many: u32, s: usize, u: usize, hidden: usize, y: usize): void {
  const it = changetype<M>(0);
  const codes = y + CODES_AT;
  const f = y + panelAt(op.n);
  it.gate(s, u, f, many);
  if (hidden) spread(f, many, entriesOf(op.core), hidden, op.n);
  scaleAll<M>(f, op.compact, f, many, op.k);
  memory.fill(y, 0, CODES_AT);
  store<f32>(y, it.encodeSome(f, many, codes));
  let left: u32 = 0;
  for (let i: u32 = 0; i < many; i++) left += load<i8>(codes + i) != 0 ? 1 : 0;
  // the limit is a share of all neurons
  const listed = <u64>left * op.n <= <u64>load<u32>(op.control, LIMIT) * many;
  if (listed) front(op, codes, many, 0);
  else {
    memory.fill(codes + many, 0, padded(op.n) - many);
    left = many;
  }
  writeHead(op.picks, left, listed, true);
  count(op.control, DOWN_ROWS, left);
}

/** Puts `many` values to where the entries say, of n; zeros elsewhere. */
function spread(f: usize, many: u32, entries: usize, hidden: usize, n: u32): void {
  memory.fill(hidden, 0, (<usize>n) << 2);
  for (let i: usize = 0; i < (<usize>many) << 2; i += 4) store<f32>(hidden + ((<usize>load<u32>(entries + i)) << 2), load<f32>(f + i));
}
