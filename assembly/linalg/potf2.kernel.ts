// Cholesky factor of one small block, in place: the lower triangle of a f64 [n, lda] becomes L, A = L Lᵀ. One unit. At a pivot that is not
// above zero (NaN included) it writes m + row + 1 to the u32 at c, if that is 0 yet, and leaves; m is where the block stands in its matrix.
import { dot } from "./gemmnt.kernel";
import { at, Task } from "./task";

export function kernel(p: usize, _unit: u32, _units: u32): void {
  const t = changetype<Task>(p);
  for (let j: u32 = 0; j < t.n; j++) {
    const row = at(t.a, j, t.lda, 0);
    const diagonal = at(row, 0, 0, j);
    const pivot = load<f64>(diagonal) - dot(row, row, j);
    if (!(pivot > 0)) {
      if (load<u32>(t.c) == 0) store<u32>(t.c, t.m + j + 1);
      return;
    }
    const root = sqrt(pivot);
    store<f64>(diagonal, root);
    for (let i = j + 1; i < t.n; i++) {
      const below = at(t.a, i, t.lda, 0);
      const here = at(below, 0, 0, j);
      store<f64>(here, (load<f64>(here) - dot(below, row, j)) / root);
    }
  }
}
