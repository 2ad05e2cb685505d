// PTQ1.61 with learned scales: the columns that an input's linears share come from ../binarise.ts; here each row gets the scale and the offset
// of its signs that leave the least output error, and its salient columns 4 bits. With 0 rounds the scales are those of the weights alone.
import type { Columns } from "../../../runtime/graph/columns.ts";
import { type Q161Scheme, splitOf } from "../../../runtime/quant/q161.ts";
import type { Scheme } from "../../../runtime/quant/scheme.ts";
import { fitRows, partOf, signsOf } from "../binarise.ts";
import { times } from "../linalg/product.ts";
import { type Calibrated, calibratedOf, type MatrixJob, type Method, packInRuns } from "../method.ts";

/** Fits p and q of rows f32 [rows, k], columns arranged, whose `out` holds what plain rounding made of them. */
function refit(scheme: Q161Scheme, { la, inputs }: Calibrated, { salient, factors }: Columns, w: Float32Array, rows: number, out: Uint8Array): void {
  const { k } = inputs;
  const first = splitOf(k).salient;
  const m = factors.length;
  const others = Uint32Array.from(salient.keys()).filter((i) => !salient[i]);
  const v = Float64Array.from({ length: rows * m }, (_, at) => w[Math.floor(at / m) * k + first + (at % m)]);
  const h = partOf(inputs.gram as Float64Array, k, others).map((x, at) => x * factors[at % m] * factors[Math.floor(at / m)]);
  const signs = signsOf(
    v.map((x, at) => x * factors[at % m]),
    rows,
    m,
  );
  const { p, q } = la.scope(() => {
    const metric = la.from(h, m, m);
    return fitRows(la, la.from(signs, rows, m), times(la, la.from(v, rows, m), metric), metric);
  });
  const made = { ...scheme.unpack(out, rows, k), signs: Uint8Array.from(signs, (s) => (s > 0 ? 1 : 0)), p: Float32Array.from(p), q: Float32Array.from(q) };
  scheme.pack(made, rows, k, out);
}

export const method: Method = {
  name: "ptq161",
  summary: "1.61 bits: salient columns by the inputs, scales learned by least squares on the outputs",
  needs: ["gram", "channels"],
  settings: { rounds: 12, byProduct: false },
  refuses: (scheme: Scheme) => (scheme.arranged ? undefined : "it makes nothing but q161"),
  compress: (job: MatrixJob) =>
    packInRuns(job, ({ scheme, settings, k, columns }, w, _row, rows, out) => {
      scheme.encode(w, rows, k, out);
      if ((settings.rounds as number) > 0 && columns && columns.factors.length > 0) refit(scheme as Q161Scheme, calibratedOf(job), columns, w, rows, out);
    }),
};
