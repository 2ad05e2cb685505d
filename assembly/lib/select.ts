// What lies between the first matrix of a sparse feed-forward layer and the second (runtime/ops/select).
import { SelectOp } from "../abi.gen";
import { RELU } from "./activation.scalar";
import { BY_RANK, CORE, count, DENSE, FALLBACKS, FIRST_ROWS, LIMIT, MODE, STEPS, TOPK, UP_ROWS, WARM } from "./control";
import { Counter, cutOf, keepGreatest, listGreatest } from "./cut";
import { ENTRIES_AT, entriesOf, isCompact, writeHead } from "./q4n";
import { start } from "./split";

/** How rows are gone through. A class without fields. */
export interface Selector extends Counter {
  /** y = f(g), f32 [n]. */
  activate(kind: u32, g: usize, y: usize, n: u32): void;
  /** Lists what is not 0 at `entries`; returns how many. */
  listSome(s: usize, n: u32, entries: usize): u32;
}

/** A unit owns whole rows; with a list there is one. */
export function selectRows<S extends Selector>(p: usize, unit: u32, units: u32): void {
  const op = changetype<SelectOp>(p);
  const it = changetype<S>(0);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  const mode = load<u32>(op.control, MODE);
  for (let r = start(unit, units, rows); r < end; r++) {
    const s = <usize>op.s + ((<usize>r * op.ss) << 2);
    const g = <usize>op.g + ((<usize>r * op.gs) << 2);
    if (op.only && mode == CORE && isCompact(op.core)) {
      ordered<S>(op, g, s, load<u32>(op.core));
      continue;
    }
    it.activate(op.kind, g, s, op.n);
    if (op.only) list<S>(op, mode, s);
    else if (mode == BY_RANK) keep<S>(op, s, load<u32>(op.control, TOPK));
    else if (mode == CORE && entriesOf(op.core)) mask(s, op.n, entriesOf(op.core), load<u32>(op.core));
  }
}

/** Sets to 0 what is not among `many` entries, which ascend. */
function mask(s: usize, n: u32, entries: usize, many: u32): void {
  let next: u32 = 0;
  for (let i: u32 = 0; i <= many; i++) {
    const kept = i < many ? load<u32>(entries + ((<usize>i) << 2)) : n;
    for (; next < kept; next++) store<f32>(s + ((<usize>next) << 2), 0);
    next++;
  }
}

/** The rows of the compact matrices: the first `many` of g are theirs. */
function ordered<S extends Selector>(op: SelectOp, g: usize, s: usize, many: u32): void {
  changetype<S>(0).activate(op.kind, g, s, many);
  count(op.control, STEPS, 1);
  count(op.control, FIRST_ROWS, many);
  count(op.control, UP_ROWS, many);
  writeHead(op.only, many, false, true);
}

function keep<S extends Selector>(op: SelectOp, s: usize, k: u32): void {
  if (changetype<S>(0).count(s, op.n, 1) > k) keepGreatest<S>(s, op.n, k, cutOf<S>(s, op.n, k, load<i32>(op.control, WARM)));
}

function list<S extends Selector>(op: SelectOp, mode: u32, s: usize): void {
  const control = <usize>op.control;
  const entries = <usize>op.only + ENTRIES_AT;
  const core = mode == CORE ? entriesOf(op.core) : 0;
  let many = op.n;
  let listed = true;
  if (core) {
    many = load<u32>(op.core);
    memory.copy(entries, core, (<usize>many) << 2);
  } else if (mode == BY_RANK) many = rank<S>(op, s, entries);
  else if (mode != DENSE && mode != CORE && op.kind >= RELU) many = changetype<S>(0).listSome(s, op.n, entries);
  else listed = false;
  count(control, STEPS, 1);
  count(control, FIRST_ROWS, core ? many : op.n);
  if (listed && !core && many > load<u32>(control, LIMIT)) {
    if (mode == BY_RANK) keep<S>(op, s, load<u32>(control, TOPK));
    count(control, FALLBACKS, 1);
    listed = false;
    many = op.n;
  }
  writeHead(op.only, many, listed, false);
  count(control, UP_ROWS, many);
}

function rank<S extends Selector>(op: SelectOp, s: usize, entries: usize): u32 {
  const k = load<u32>(op.control, TOPK);
  if (changetype<S>(0).count(s, op.n, 1) <= k) return changetype<S>(0).listSome(s, op.n, entries);
  const cut = cutOf<S>(s, op.n, k, load<i32>(op.control, WARM));
  store<i32>(op.control, cut, WARM);
  return listGreatest<S>(s, op.n, k, cut, entries);
}
