// Quamba's claims on made-up signals: what clipping, transforming and int8 states do where the paper says they matter. Errors are relative mean
// squares; ranges are found on one half of the signal and judged on the other. A scan of 256 channels with 16 states: steps softplus(N(−3, ½)),
// inputs like those behind SiLU with rare spikes of 8 to 12, a few gate channels forty times the others.
import { format as i8static } from "../../../runtime/act/i8static.ts";
import { hadamard } from "../../../runtime/num/hadamard.ts";
import { REFERENCES } from "../../../runtime/ops/references.gen.ts";
import { SCHEMES } from "../../../runtime/quant/catalogue.gen.ts";
import { normal, random } from "../../../test/support/data.ts";
import { Magnitudes } from "../../compress/calibrate/statistics.ts";

const [L, E, N] = [1024, 256, 16];
const HALF = L / 2;
const SPIKES = 2e-5;
/** Channels whose gates are great; spikes are in others. */
const GATES = 6;
const OUT = 64;

interface Signal {
  readonly x: Float32Array;
  readonly dt: Float32Array;
  readonly b: Float32Array;
  readonly c: Float32Array;
  readonly z: Float32Array;
}

function signal(seed: number): Signal {
  const draw = random(seed);
  const x = normal(L * E, 20 * seed + 1, 0.35).map((v) => v / (1 + Math.exp(-v)));
  // As many in each half, so that what calibration meets is what is judged.
  const spikes = Math.round(SPIKES * L * E);
  for (let i = 0; i < spikes; i++) x[((i % 2) * HALF + Math.floor(draw() * HALF)) * E + GATES + Math.floor(draw() * (E - GATES))] = 8 + 4 * draw();
  const z = normal(L * E, 20 * seed + 3);
  for (let i = 0; i < z.length; i++) if (i % E < GATES) z[i] *= 40;
  return { x, dt: normal(L * E, 20 * seed + 2, 0.5).map((v) => v - 3), b: normal(L * N, 20 * seed + 4), c: normal(L * N, 20 * seed + 5), z };
}

const decays = () => Float32Array.from({ length: E * N }, (_, i) => -1 - (i % N));

function packed(values: Float32Array): Uint8Array {
  const out = new Uint8Array(SCHEMES.f32.bytes(E, N));
  SCHEMES.f32.encode(values, E, N, out);
  return out;
}

/** Outputs of the reference [L, E]. */
function scan({ x, dt, b, c, z }: Signal): Float32Array {
  const y = new Float32Array(L * E);
  REFERENCES.scan(
    {
      tensors: { x, dt: dt.slice(), bias: new Float32Array(E), a: packed(decays()), b, c, d: new Float32Array(E).fill(1), z, hidden: packed(new Float32Array(E * N)), y },
      values: { rows: L, channels: E, states: N, xs: E, dts: E, bs: N, cs: N, zs: E, ys: E },
    },
    "f32",
  );
  return y;
}

/** Outputs of the reference over int8 rows, with states of f32 or of int8 with the given ranges. */
function scanInt8(s: Signal, ranges: Float32Array | undefined): Float32Array {
  const y = new Float32Array(L * E);
  const rows = (v: Float32Array, k: number) => {
    const stride = i8static.bytes(k);
    const out = new Uint8Array(L * stride);
    const range = magnitudesOf(v.subarray(0, HALF * k)).percentile(1);
    for (let r = 0; r < L; r++) i8static.encode(v.slice(r * k, (r + 1) * k), out.subarray(r * stride), 0, range);
    return out;
  };
  const [wide, narrow] = [i8static.bytes(E), i8static.bytes(N)];
  REFERENCES.scan(
    {
      tensors: {
        x: rows(s.x, E),
        dt: rows(s.dt, E),
        bias: new Float32Array(E),
        a: packed(decays()),
        b: rows(s.b, N),
        c: rows(s.c, N),
        d: new Float32Array(E).fill(1),
        z: rows(s.z, E),
        hidden: ranges ? new Uint8Array(E * N) : packed(new Float32Array(E * N)),
        rangehidden: ranges,
        saturations: new Uint32Array(2 * E),
        y,
      },
      values: { rows: L, channels: E, states: N, xs: wide, dts: wide, bs: narrow, cs: narrow, zs: wide, ys: E },
    },
    ranges ? "i8i8" : "i8f32",
  );
  return y;
}

function magnitudesOf(v: Float32Array): Magnitudes {
  const m = new Magnitudes();
  m.add(v);
  return m;
}

/** Σ (a − b)² over Σ b², of the second half. */
function error(got: Float32Array, want: Float32Array): number {
  let [sum, all] = [0, 0];
  for (let i = got.length >> 1; i < got.length; i++) {
    sum += (got[i] - want[i]) ** 2;
    all += want[i] ** 2;
  }
  return sum / all;
}

/** Rows [L, E] rounded to int8 of a range. */
function rounded(v: Float32Array, range: number): Float32Array {
  const step = range / 127;
  return v.map((x) => step * Math.max(-127, Math.min(127, Math.round(x / step))));
}

const peak = (v: Float32Array) => v.reduce((m, x) => Math.max(m, Math.abs(x)), 0) / Math.sqrt(v.reduce((s, x) => s + x * x, 0) / v.length);

/** y Wᵀ, rows of y times a made-up projection. */
function project(y: Float32Array, w: Float32Array): Float32Array {
  const out = new Float32Array((y.length / E) * OUT);
  for (let r = 0; r < y.length / E; r++)
    for (let n = 0; n < OUT; n++) {
      let sum = 0;
      for (let k = 0; k < E; k++) sum += y[r * E + k] * w[n * E + k];
      out[r * OUT + n] = sum;
    }
  return out;
}

const byRow = (v: Float32Array, f: (row: Float32Array) => Float32Array) => {
  const out = new Float32Array(v.length);
  for (let at = 0; at < v.length; at += E) out.set(f(v.slice(at, at + E)), at);
  return out;
};

/** W rounded to int8, one scale a row. */
const int8Weights = (w: Float32Array) =>
  byRow(w, (row) =>
    rounded(
      row,
      row.reduce((m, v) => Math.max(m, Math.abs(v)), 0),
    ),
  );

export interface Claim {
  readonly claim: string;
  readonly holds: boolean;
  readonly figures: string;
}

const figures = (o: Record<string, number>) =>
  Object.entries(o)
    .map(([k, v]) => `${k} ${v.toExponential(1)}`)
    .join(", ");

/** The claims of the paper that made-up signals can show. */
export function claims(): Claim[] {
  const s = signal(1);
  return [...clippingX(), ...transformingY(scan(s)), ...int8States(s)];
}

/** A handful of spikes decides: the middle one of so many signals. */
const DRAWS = [1, 2, 3, 4, 5];
const CLIPS = [1, 0.99999, 0.9999, 0.9995, 0.999, 0.99];

function clippingX(): Claim[] {
  const curves = DRAWS.map((seed) => {
    const s = signal(seed);
    const y = scan(s);
    const m = magnitudesOf(s.x.subarray(0, HALF * E));
    return CLIPS.map((q) => error(scan({ ...s, x: rounded(s.x, m.percentile(q)) }), y));
  });
  const middle = (f: (curve: number[]) => number) => curves.map(f).sort((a, b) => a - b)[DRAWS.length >> 1];
  const told = figures(Object.fromEntries(CLIPS.map((q, i) => [`q ${q}`, middle((c) => c[i])])));
  return [
    { claim: "the best percentile of x is more than 10 times as good as its greatest magnitude", holds: middle((c) => c[0] / Math.min(...c)) > 10, figures: told },
    { claim: "clipping x too much loses again", holds: middle((c) => (c.at(-1) as number) / Math.min(...c)) > 2, figures: told },
  ];
}

function transformingY(y: Float32Array): Claim[] {
  const w = normal(OUT * E, 9, 1 / 16);
  const want = project(y, w);
  const h = byRow(y, hadamard);
  const [first, firstH] = [y.subarray(0, HALF * E), h.subarray(0, HALF * E)];
  const plain = error(project(rounded(y, magnitudesOf(first).percentile(1)), int8Weights(w)), want);
  const clipped = error(project(rounded(y, magnitudesOf(first).percentile(0.999)), int8Weights(w)), want);
  const transformed = error(project(rounded(h, magnitudesOf(firstH).percentile(1)), int8Weights(byRow(w, hadamard))), want);
  const folded = Math.sqrt(error(project(h, byRow(w, hadamard)), want));
  const told = figures({ plain, clipped, transformed });
  const peaks = { before: peak(y), behind: peak(h) };
  return [
    { claim: "transforming y is more than 10 times as good as rounding it as it is", holds: transformed < plain / 10, figures: told },
    { claim: "clipping y is worse than not clipping it", holds: clipped > plain, figures: told },
    { claim: "the peak of y over its root mean square falls to less than a fifth", holds: peaks.behind < peaks.before / 5, figures: figures(peaks) },
    { claim: "a transform that is folded into f32 weights changes products by less than 1e-5", holds: folded < 1e-5, figures: figures({ folded }) },
  ];
}

function int8States(s: Signal): Claim[] {
  const want = scanInt8(s, undefined);
  const greatest = new Float32Array(N).fill(stateMagnitudes(s).percentile(1));
  const at = (q: number) => error(scanInt8(s, new Float32Array(N).fill(stateMagnitudes(s).percentile(q))), want);
  const curve = { absmax: error(scanInt8(s, greatest), want), ...Object.fromEntries([0.9999, 0.9995, 0.999].map((q) => [`q ${q}`, at(q)])) };
  const [first, ...others] = Object.values(curve);
  return [
    {
      claim: "int8 states with the best percentile are more than 10 times as good as with the greatest magnitude",
      holds: first > 10 * Math.min(...others),
      figures: figures(curve),
    },
  ];
}

let seen: Magnitudes | undefined;

/** Magnitudes of the states behind each of the first tokens, by recurrence. */
function stateMagnitudes({ x, dt, b }: Signal): Magnitudes {
  if (seen) return seen;
  seen = new Magnitudes();
  const a = decays();
  const h = new Float32Array(E * N);
  for (let r = 0; r < HALF; r++) {
    for (let i = 0; i < E; i++) {
      const delta = Math.log1p(Math.exp(dt[r * E + i]));
      for (let n = 0; n < N; n++) h[i * N + n] = Math.exp(delta * a[i * N + n]) * h[i * N + n] + delta * x[r * E + i] * b[r * N + n];
    }
    seen.add(h);
  }
  return seen;
}
