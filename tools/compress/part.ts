// A path that is a part of the weights (CorDA): the strongest or the weakest components of W on the calibration text. It is taken out of the weights,
// what it leaves is compressed, and `up` is then fitted anew to what that became; `down` stays what was taken.
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import { componentsOf, damped, type Part } from "./linalg/context.ts";
import type { Linalg } from "./linalg/linalg.ts";
import { type FittedPath, gramOf, type PathJob, packPath, refit, round } from "./lowrank.ts";

/** The part of the one linear's weights, as wide as `down`; its reports tell of the part alone. Throws `calibration.text`, `session.nan`. */
export function takePart(la: Linalg, job: PathJob, part: Part): FittedPath {
  const { down, linears } = job;
  const [rank, k] = down.shape as [number, number];
  const [{ n, w }] = linears;
  const { left, right } = componentsOf(la, Float64Array.from(w), damped(gramOf(job), k), n, k, part, rank);
  return packPath(la, job, round(down.format, Float32Array.from(right), rank, k), Float32Array.from(left), rank);
}

/**
 * That path with `up` fitted, by the outputs, to what compression made of the rest. The mean of x xᵀ is damped: directions in which calibration saw
 * nothing keep what was taken out of them. Strong inputs do not count twice here, which would spoil the others for a `down` that hardly sees them.
 */
export function refitPart(la: Linalg, job: PathJob, { rank, packed }: FittedPath): FittedPath {
  const { down, linears } = job;
  const k = down.shape[1] as number;
  const [{ n, w, back }] = linears;
  const bytes = packed.get(down.name) as Uint8Array;
  const right = { packed: bytes, back: SCHEMES[down.format].decode(bytes, rank, k) };
  const residual = Float64Array.from(w, (v, i) => v - back[i]);
  return packPath(la, job, right, refit(la, residual, damped(gramOf(job), k), right.back, { n, k, rank, power: 0.5 }), rank);
}
