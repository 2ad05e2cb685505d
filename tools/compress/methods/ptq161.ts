// PTQ1.61 with learned scales: the columns that an input's linears share come from ../binarise.ts; here each row gets the scale and the offset
// of its signs that leave the least output error, and its salient columns 4 bits. With `feedback`, which the paper has not, codes and signs are then
// chosen one column after the other as in GPTQ, later columns making up for earlier ones, and scale and offset fitted to those signs. With 0
// rounds all is that of the weights alone.
import type { Columns } from "../../../runtime/graph/columns.ts";
import { type Q161Rows, type Q161Scheme, splitOf } from "../../../runtime/quant/q161.ts";
import type { Scheme } from "../../../runtime/quant/scheme.ts";
import { fitRows, signsOf } from "../binarise.ts";
import { factorOf, type Grid, walkRows } from "../feedback.ts";
import type { Linalg } from "../linalg/linalg.ts";
import { times } from "../linalg/product.ts";
import { type Calibrated, calibratedOf, type MatrixJob, type Method, packInRuns } from "../method.ts";

/** Mean of x xᵀ of arranged inputs: f64 [k, k]. */
function arrangedGram({ inputs }: Calibrated, { salient, factors }: Columns): Float64Array {
  const { k } = inputs;
  const gram = inputs.gram as Float64Array;
  const from = Uint32Array.from({ length: k }, (_, i) => i);
  const order = [...from.filter((i) => salient[i] === 1), ...from.filter((i) => salient[i] === 0)];
  const first = splitOf(k).salient;
  const factor = (i: number) => (i < first ? 1 : factors[i - first]);
  return Float64Array.from({ length: k * k }, (_, at) => {
    const [i, j] = [Math.floor(at / k), at % k];
    return gram[order[i] * k + order[j]] * factor(i) * factor(j);
  });
}

const CLAMPED = (v: number) => Math.max(0, Math.min(15, v));

/** Salient columns round to codes, the others to the nearer of q ± p; both are noted in `made`. */
function gridOf(made: Q161Rows, k: number): Grid {
  const { salient, binary } = splitOf(k);
  return {
    choose() {},
    round(_, w, place) {
      const [r, i] = [Math.floor(place / k), place % k];
      const { p, q, s, zeros } = made;
      if (i < salient) {
        const code = s[r] === 0 ? zeros[r] : CLAMPED(Math.round(w / s[r]) + zeros[r]);
        made.codes[r * salient + i] = code;
        return (code - zeros[r]) * s[r];
      }
      const sign = w >= q[r] === p[r] >= 0 ? 1 : 0;
      made.signs[r * binary + i - salient] = sign;
      return q[r] + (sign ? p[r] : -p[r]);
    },
    pack() {},
  };
}

/** Fits p and q to the signs in `made`, given what the salient columns miss. @param w rows f32 [rows, k], columns arranged */
function fitScales(la: Linalg, gram: Float64Array, made: Q161Rows, w: Float32Array, rows: number, k: number): void {
  const { salient, binary } = splitOf(k);
  const h = new Float64Array(binary * binary);
  const across = new Float64Array(k * binary);
  for (let i = 0; i < k; i++)
    for (let j = 0; j < binary; j++) {
      across[i * binary + j] = gram[i * k + salient + j];
      if (i >= salient) h[(i - salient) * binary + j] = across[i * binary + j];
    }
  // What the signs are to make up for: their own weights, and the rest of the salient ones.
  const wanted = Float64Array.from(w.subarray(0, rows * k), (v, at) => {
    const [r, i] = [Math.floor(at / k), at % k];
    return i < salient ? v - (made.codes[r * salient + i] - made.zeros[r]) * made.s[r] : v;
  });
  const { p, q } = la.scope(() => {
    const weighed = times(la, la.from(wanted, rows, k), la.from(across, k, binary));
    const signs = Float64Array.from(made.signs, (s) => (s ? 1 : -1));
    return fitRows(la, la.from(signs, rows, binary), weighed, la.from(h, binary, binary));
  });
  made.p.set(p);
  made.q.set(q);
}

/** Signs of weights less their row's mean, as they are before factors divide them. */
function plainSigns(w: Float32Array, rows: number, k: number, factors: Float32Array): Uint8Array {
  const { salient, binary } = splitOf(k);
  const plain = Float64Array.from({ length: rows * binary }, (_, at) => w[Math.floor(at / binary) * k + salient + (at % binary)] * factors[at % binary]);
  return Uint8Array.from(signsOf(plain, rows, binary), (s) => (s > 0 ? 1 : 0));
}

function learn(job: MatrixJob, w: Float32Array, rows: number, out: Uint8Array): void {
  const { k, name, settings } = job;
  const scheme = job.scheme as Q161Scheme;
  const calibrated = calibratedOf(job);
  const { la, inputs } = calibrated;
  const columns = job.columns as Columns;
  const gram = inputs.share("arranged", () => arrangedGram(calibrated, columns));
  const made = { ...scheme.unpack(out, rows, k), signs: plainSigns(w, rows, k, columns.factors) };
  fitScales(la, gram, made, w, rows, k);
  if (settings.feedback) {
    const damping = settings.damping as number;
    const factor = inputs.share(`arranged ${damping}`, () => factorOf(la, { ...inputs, gram, point: `${inputs.point}, arranged for ${name}` }, damping, false));
    walkRows(la, factor, gridOf(made, k), { damping, activationOrder: false, group: k }, w, rows);
    fitScales(la, gram, made, w, rows, k);
  }
  scheme.pack(made, rows, k, out);
}

export const method: Method = {
  name: "ptq161",
  summary: "1.61 bits: salient columns by the inputs, scales learned by least squares on the outputs",
  needs: ["gram", "channels"],
  settings: { rounds: 12, byProduct: false, feedback: true, damping: 0.01 },
  refuses: (scheme: Scheme) => (scheme.arranged ? undefined : "it makes nothing but q161"),
  compress: (job) =>
    packInRuns(job, ({ scheme, settings, k, columns }, w, _row, rows, out) => {
      scheme.encode(w, rows, k, out);
      if ((settings.rounds as number) > 0 && columns && splitOf(k).binary > 0) learn(job, w, rows, out);
    }),
};
