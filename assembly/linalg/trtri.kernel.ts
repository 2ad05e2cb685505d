// Inverses of the diagonal blocks of a lower triangle a f64 [m, lda]: the lower triangles of the same blocks of c. Blocks are k wide, the last
// one may be less; a unit is one block.
import { at, Task } from "./task";

export function kernel(p: usize, unit: u32, _units: u32): void {
  const t = changetype<Task>(p);
  const first = unit * t.k;
  const n = min(t.k, t.m - first);
  const a = at(t.a, first, t.lda, first);
  const c = at(t.c, first, t.ldc, first);
  for (let j: u32 = 0; j < n; j++)
    for (let i = j; i < n; i++) {
      // Row i of L times column j of the inverse is 1 on the diagonal, 0 below it.
      const l = at(a, i, t.lda, 0);
      let sum: f64 = i == j ? 1 : 0;
      for (let k = j; k < i; k++) sum -= load<f64>(at(l, 0, 0, k)) * load<f64>(at(c, k, t.ldc, j));
      store<f64>(at(c, i, t.ldc, j), sum / load<f64>(at(l, 0, 0, i)));
    }
}
