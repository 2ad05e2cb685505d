// Shapes of matrices that kernels are timed on: those of known models as the planner joins them (q+k+v, gate+up), or any that is given.
import { SkintError } from "../../../runtime/errors.ts";

export interface Shape {
  readonly name: string;
  /** W [n, k]. */
  readonly n: number;
  readonly k: number;
  /** Rows of x to time, each by itself. */
  readonly tokens: readonly number[];
}

/** Tokens of a prefill step. */
const PREFILL = 128;
const BOTH = [1, PREFILL];

const MODELS: Readonly<Record<string, readonly Shape[]>> = {
  "smollm2-135m": [
    { name: "q+k+v", n: 960, k: 576, tokens: BOTH },
    { name: "o", n: 576, k: 576, tokens: BOTH },
    { name: "gate+up", n: 3072, k: 576, tokens: BOTH },
    { name: "down", n: 576, k: 1536, tokens: BOTH },
    { name: "head", n: 49152, k: 576, tokens: [1] },
  ],
  "llama-3.2-1b": [
    { name: "q+k+v", n: 3072, k: 2048, tokens: BOTH },
    { name: "o", n: 2048, k: 2048, tokens: BOTH },
    { name: "gate+up", n: 16384, k: 2048, tokens: BOTH },
    { name: "down", n: 2048, k: 8192, tokens: BOTH },
    { name: "head", n: 128256, k: 2048, tokens: [1] },
  ],
  "mamba-130m": [
    { name: "in", n: 3072, k: 768, tokens: BOTH },
    { name: "x", n: 80, k: 1536, tokens: BOTH },
    { name: "dt", n: 1536, k: 48, tokens: BOTH },
    { name: "out", n: 768, k: 1536, tokens: BOTH },
    { name: "head", n: 50280, k: 768, tokens: [1] },
  ],
  "4096": [
    { name: "square", n: 4096, k: 4096, tokens: [1] },
    { name: "half", n: 2048, k: 2048, tokens: [PREFILL] },
  ],
};

export const SHAPE_NAMES = Object.keys(MODELS);

const MAX_SIDE = 1 << 20;
const MAX_TOKENS = 4096;

/** The shapes of a model by its name, or the one written as NxK or NxKxM. Throws `usage`. */
export function shapesOf(text: string): Shape[] {
  if (Object.hasOwn(MODELS, text)) return MODELS[text].map((s) => ({ ...s, name: `${text} ${s.name}` }));
  const [, n, k, m] = (/^(\d{1,7})x(\d{1,7})(?:x(\d{1,4}))?$/.exec(text) ?? []).map(Number);
  const within = (v: number, max: number) => v >= 1 && v <= max;
  if (within(n, MAX_SIDE) && within(k, MAX_SIDE) && (Number.isNaN(m) || within(m, MAX_TOKENS))) return [{ name: text, n, k, tokens: Number.isNaN(m) ? BOTH : [m] }];
  const what = `give ${SHAPE_NAMES.join(", ")}, or NxK or NxKxM with N and K up to ${MAX_SIDE} and M tokens up to ${MAX_TOKENS}`;
  throw new SkintError("usage", `--shape is ${JSON.stringify(text)}; ${what}`, { what: "--shape" });
}
