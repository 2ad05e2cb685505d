// Name of a linear's variant: the weight scheme, and behind `_` the activation format where it is not the scheme's own: `q8`, `q8_u7tok`.
import { ACTS } from "../../act/catalogue.gen.ts";
import { SCHEMES } from "../../quant/catalogue.gen.ts";
import type { Scheme } from "../../quant/scheme.ts";

export interface LinearVariant {
  readonly scheme: Scheme;
  /** Activation format of x. */
  readonly act: string;
}

/** `act` "" means the scheme's own; a static format has the kernels of the one whose rows it has. */
export function linearVariant(scheme: string, act: string): string {
  const rows = ACTS[act]?.rows ?? act;
  return rows === "" || rows === SCHEMES[scheme]?.act ? scheme : `${scheme}_${rows}`;
}

export function parseLinearVariant(variant: string): LinearVariant {
  const [name, act] = variant.split("_");
  return { scheme: SCHEMES[name], act: act ?? SCHEMES[name].act };
}
