// The Llama forward pass in double precision, written from its formulas: the oracle of whole models. Knows nothing of graphs, plans and ops.
// All arithmetic is f64; keys and values are rounded to f16 if the cache is said to hold that. Weights by their checkpoint names.
import type { Tiny } from "./tiny.ts";

type Vector = Float64Array;

/** Nearest f16 value, ties to even. */
export function roundF16(x: number): number {
  if (x === 0) return 0;
  const unit = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(x)))) - 10);
  const q = x / unit;
  const low = Math.floor(q);
  const up = q - low > 0.5 || (q - low === 0.5 && low % 2 !== 0);
  return (up ? low + 1 : low) * unit;
}

/** erf by the series without cancellation: 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!!. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const ACTIVATIONS: Readonly<Record<string, (x: number) => number>> = {
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  gelu_pytorch_tanh: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  relu: (x) => Math.max(0, x),
};

/** Logits [vocab] behind each of the tokens. */
export function forward(tiny: Tiny, tokens: ArrayLike<number>, cache: "exact" | "f16" = "exact"): Vector[] {
  const { shape: s, weights } = tiny;
  const weight = (name: string) => weights.get(name)?.values as Float32Array;
  const eps = tiny.config.rms_norm_eps as number;
  const base = tiny.config.rope_theta as number;
  const act = ACTIVATIONS[s.activation];
  const stored = (x: Vector) => (cache === "f16" ? x.map(roundF16) : x);

  const norm = (x: Vector, name: string): Vector => {
    const mean = x.reduce((sum, v) => sum + v * v, 0) / x.length;
    return x.map((v, i) => (v / Math.sqrt(mean + eps)) * weight(name)[i]);
  };
  const linear = (x: Vector, name: string): Vector => {
    const w = weight(`${name}.weight`);
    const bias = weight(`${name}.bias`);
    return Float64Array.from({ length: w.length / x.length }, (_, n) => x.reduce((sum, v, k) => sum + v * w[n * x.length + k], bias?.[n] ?? 0));
  };
  /** Rotates the pairs (i, i + dh/2) of each head by p · base^(−2i/dh). */
  const rotate = (x: Vector, p: number): Vector => {
    const y = x.slice();
    for (let h = 0; h < x.length; h += s.dh)
      for (let i = 0; i < s.dh / 2; i++) {
        const angle = p * base ** ((-2 * i) / s.dh);
        const [a, b] = [x[h + i], x[h + i + s.dh / 2]];
        y[h + i] = a * Math.cos(angle) - b * Math.sin(angle);
        y[h + i + s.dh / 2] = b * Math.cos(angle) + a * Math.sin(angle);
      }
    return y;
  };
  const attend = (q: Vector, keys: readonly Vector[], values: readonly Vector[]): Vector => {
    const y = new Float64Array(q.length);
    for (let h = 0; h < s.heads; h++) {
      const kv = Math.floor(h / (s.heads / s.kvheads)) * s.dh;
      const scores = keys.map((k) => {
        let dot = 0;
        for (let i = 0; i < s.dh; i++) dot += q[h * s.dh + i] * k[kv + i];
        return dot / Math.sqrt(s.dh);
      });
      const top = Math.max(...scores);
      const shares = scores.map((v) => Math.exp(v - top));
      const sum = shares.reduce((a, b) => a + b, 0);
      for (let i = 0; i < s.dh; i++) y[h * s.dh + i] = shares.reduce((a, share, p) => a + (share / sum) * values[p][kv + i], 0);
    }
    return y;
  };

  let rows = Array.from(tokens, (t) => Float64Array.from(weight("model.embed_tokens.weight").subarray(t * s.width, (t + 1) * s.width)));
  for (let l = 0; l < s.layers; l++) {
    const at = `model.layers.${l}`;
    const keys: Vector[] = [];
    const values: Vector[] = [];
    rows = rows.map((x, p) => {
      const normed = norm(x, `${at}.input_layernorm.weight`);
      keys.push(stored(rotate(linear(normed, `${at}.self_attn.k_proj`), p)));
      values.push(stored(linear(normed, `${at}.self_attn.v_proj`)));
      const mixed = linear(attend(rotate(linear(normed, `${at}.self_attn.q_proj`), p), keys, values), `${at}.self_attn.o_proj`);
      const after = x.map((v, i) => v + mixed[i]);
      const ffnIn = norm(after, `${at}.post_attention_layernorm.weight`);
      const gate = linear(ffnIn, `${at}.mlp.gate_proj`);
      const up = linear(ffnIn, `${at}.mlp.up_proj`);
      const down = linear(
        gate.map((g, i) => act(g) * up[i]),
        `${at}.mlp.down_proj`,
      );
      return after.map((v, i) => v + down[i]);
    });
  }
  const head = s.tied ? "model.embed_tokens" : "lm_head";
  return rows.map((x) => linear(norm(x, "model.norm.weight"), head));
}

/** Largest |a − b| over the largest |b|. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [error, most] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    error = Math.max(error, Math.abs(a[i] - b[i]));
    most = Math.max(most, Math.abs(b[i]));
  }
  return Number.isFinite(error) ? error / most : Number.POSITIVE_INFINITY;
}
