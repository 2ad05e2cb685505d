// Drift as a picture: a line for each distance, over the tokens read; powers of ten upwards.
import { colour, escaped, type Lines, lines } from "../eval/chart.ts";
import type { Drift } from "./measure.ts";

/** Least distance that is drawn. */
const LEAST = 1e-9;
const log = (v: number) => Math.log10(Math.max(v, LEAST)) - Math.log10(LEAST);

/** An SVG file that needs nothing else. */
export function pictureOf(found: readonly Drift[], names: { readonly model: string; readonly against?: string }): string {
  const last = found[found.length - 1].tokens;
  const all: Lines["lines"] = [
    { name: `${names.model} (f32) from f64`, colour: colour(0), values: found.map((d) => log(d.f64)) },
    ...(names.against === undefined ? [] : [{ name: `${names.against} from ${names.model}`, colour: colour(1), values: found.map((d) => log(d.against as number)) }]),
  ];
  const chart = lines({
    title: "State drift",
    x: "tokens read",
    placeOf: (i) => Math.round((i / Math.max(1, found.length - 1)) * last).toLocaleString("en"),
    y: { label: "relative distance of states", format: (v) => (LEAST * 10 ** v).toExponential(0) },
    lines: all,
  });
  const legend = all.map((l, i) => `<text x="80" y="${36 + 16 * i}" fill="${l.colour}">${escaped(l.name)}</text>`).join("\n");
  return chart.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="11" ').replace("</svg>", `${legend}\n</svg>\n`);
}
