// Rows of a f64 [m, n] become X with X Lᵀ = a, in place; b [n, ldb] holds the lower triangle L of a block. A row is solved from left to right.
import { dot } from "./gemmnt.kernel";
import { at, Task, UNIT_ROWS } from "./task";

export function kernel(p: usize, unit: u32, _units: u32): void {
  const t = changetype<Task>(p);
  const end = min((unit + 1) * UNIT_ROWS, t.m);
  for (let i = unit * UNIT_ROWS; i < end; i++) {
    const row = at(t.a, i, t.lda, 0);
    for (let j: u32 = 0; j < t.n; j++) {
      const l = at(t.b, j, t.ldb, 0);
      const x = at(row, 0, 0, j);
      store<f64>(x, (load<f64>(x) - dot(row, l, j)) / load<f64>(at(l, 0, 0, j)));
    }
  }
}
