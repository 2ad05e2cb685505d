// Charts as SVG, written as text: models as points of two figures, and errors of layers as lines.
import { front, type Point } from "./pareto.ts";

const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 64;
const RIGHT = 16;
const TOP = 24;
const BOTTOM = 48;
const COLOURS = ["#1b6ca8", "#c8553d", "#588157", "#8d5a97", "#b08900", "#2a9d8f", "#6d6875", "#d1495b"];

/** Width of a legend's mark and its margins. */
const MARK = 28;

export const colour = (i: number) => COLOURS[i % COLOURS.length];

export const escaped = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

interface Axis {
  readonly label: string;
  /** Text of a value. */
  readonly format: (v: number) => string;
}

export interface Scatter {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  /** Smaller x is better. */
  readonly less: boolean;
  readonly points: readonly (Point & { readonly name: string; readonly low?: number; readonly high?: number })[];
}

/** A range with a little room around it. */
function room(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = (high - low || Math.abs(high) || 1) * 0.08;
  return [low - margin, high + margin];
}

const scale =
  ([low, high]: readonly [number, number], from: number, to: number) =>
  (v: number) =>
    from + ((v - low) / (high - low)) * (to - from);
const at = (v: number) => v.toFixed(1);

function axes(x: Axis, y: Axis, xs: readonly [number, number], ys: readonly [number, number]): string {
  const [px, py] = [scale(xs, LEFT, WIDTH - RIGHT), scale(ys, HEIGHT - BOTTOM, TOP)];
  const ticks = (range: readonly [number, number]) => [0.1, 0.3, 0.5, 0.7, 0.9].map((p) => range[0] + p * (range[1] - range[0]));
  const lines = [
    `<path d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}" fill="none" stroke="#888"/>`,
    ...ticks(xs).map((v) => `<text x="${at(px(v))}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${escaped(x.format(v))}</text>`),
    ...ticks(ys).map((v) => `<text x="${LEFT - 6}" y="${at(py(v) + 4)}" text-anchor="end">${escaped(y.format(v))}</text>`),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${escaped(x.label)}</text>`,
    `<text x="14" y="${(TOP + HEIGHT - BOTTOM) / 2}" text-anchor="middle" transform="rotate(-90 14 ${(TOP + HEIGHT - BOTTOM) / 2})">${escaped(y.label)}</text>`,
  ];
  return lines.join("\n");
}

const drawing = (title: string, body: string) =>
  `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}"><text x="${LEFT}" y="14" font-weight="bold">${escaped(title)}</text>\n${body}\n</svg>`;

/** A chart as a file of its own, with a ground and the names in their colours below. */
export function standalone(chart: string, names: readonly string[]): string {
  const letters = names.reduce((sum, name) => sum + name.length, 0);
  let before = 0;
  const legend = names.map((name, i) => {
    // Room by letters, beside what the mark takes.
    const x = LEFT + i * MARK + (before / letters) * (WIDTH - LEFT - RIGHT - names.length * MARK);
    before += name.length;
    return `<rect x="${at(x)}" y="${HEIGHT}" width="10" height="10" fill="${colour(i)}"/><text x="${at(x + 14)}" y="${HEIGHT + 9}">${escaped(name)}</text>`;
  });
  const [box, whole] = [`viewBox="0 0 ${WIDTH} ${HEIGHT}"`, `viewBox="0 0 ${WIDTH} ${HEIGHT + 20}"`];
  return chart
    .replace(`<svg ${box}`, `<svg xmlns="http://www.w3.org/2000/svg" ${whole} font-family="sans-serif" font-size="11"`)
    .replace(">", `>\n<rect width="${WIDTH}" height="${HEIGHT + 20}" fill="#fff"/>\n`)
    .replace("</svg>", `${legend.join("\n")}\n</svg>\n`);
}

/** Points with their intervals, and the line through those that no other beats. */
export function scatter({ title, x, y, less, points }: Scatter): string {
  const xs = room(points.map((p) => p.x));
  const ys = room(points.flatMap((p) => [p.y, p.low ?? p.y, p.high ?? p.y]));
  const [px, py] = [scale(xs, LEFT, WIDTH - RIGHT), scale(ys, HEIGHT - BOTTOM, TOP)];
  const best = front(points, less);
  const line = best.map((i, n) => `${n ? "L" : "M"}${at(px(points[i].x))} ${at(py(points[i].y))}`).join("");
  const marks = points.flatMap((p, i) => [
    p.low !== undefined && p.high !== undefined ? `<path d="M${at(px(p.x))} ${at(py(p.low))}V${at(py(p.high))}" stroke="${colour(i)}" opacity=".4"/>` : "",
    `<circle cx="${at(px(p.x))}" cy="${at(py(p.y))}" r="5" fill="${colour(i)}" stroke="${best.includes(i) ? "#000" : "none"}"/>`,
    `<text x="${at(px(p.x) + 8)}" y="${at(py(p.y) - 6)}">${escaped(p.name)}</text>`,
  ]);
  return drawing(title, [axes(x, y, xs, ys), `<path class="front" d="${line}" fill="none" stroke="#000" stroke-dasharray="4 3"/>`, ...marks].join("\n"));
}

export interface Lines {
  readonly title: string;
  readonly x: string;
  /** Text of a place along x; by itself its number. */
  readonly placeOf?: (i: number) => string;
  readonly y: Axis;
  /** A value for each place along x; one that is not known breaks the line. */
  readonly lines: readonly { readonly name: string; readonly colour: string; readonly values: readonly (number | undefined)[] }[];
}

export function lines({ title, x, placeOf = (v) => v.toFixed(0), y, lines }: Lines): string {
  const known = lines.flatMap((l) => l.values.filter((v) => v !== undefined));
  const most = Math.max(1, ...lines.map((l) => l.values.length - 1));
  const ys: [number, number] = [0, Math.max(...known, 0) * 1.08 || 1];
  const [px, py] = [scale([0, most], LEFT, WIDTH - RIGHT), scale(ys, HEIGHT - BOTTOM, TOP)];
  const paths = lines.map((l) => {
    const d = l.values.map((v, i) => (v === undefined ? "" : `${i && l.values[i - 1] !== undefined ? "L" : "M"}${at(px(i))} ${at(py(v))}`)).join("");
    return `<path d="${d}" fill="none" stroke="${l.colour}" stroke-width="2"><title>${escaped(l.name)}</title></path>`;
  });
  return drawing(title, [axes({ label: x, format: placeOf }, y, [0, most], ys), ...paths].join("\n"));
}

export interface Curves {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  /** Points in ascending order of x. */
  readonly curves: readonly {
    readonly name: string;
    readonly colour: string;
    readonly points: readonly { readonly x: number; readonly y: number; readonly low?: number; readonly high?: number }[];
  }[];
}

/** Lines through points with their intervals. */
export function curves({ title, x, y, curves }: Curves): string {
  const points = curves.flatMap((c) => c.points);
  const xs = room(points.map((p) => p.x));
  const ys = room(points.flatMap((p) => [p.y, p.low ?? p.y, p.high ?? p.y]));
  const [px, py] = [scale(xs, LEFT, WIDTH - RIGHT), scale(ys, HEIGHT - BOTTOM, TOP)];
  const drawn = curves.map((c) => {
    const line = c.points.map((p, i) => `${i ? "L" : "M"}${at(px(p.x))} ${at(py(p.y))}`).join("");
    const bars = c.points.flatMap((p) => (p.low === undefined || p.high === undefined ? [] : [`M${at(px(p.x))} ${at(py(p.low))}V${at(py(p.high))}`])).join("");
    const marks = c.points.map((p) => `<circle cx="${at(px(p.x))}" cy="${at(py(p.y))}" r="3" fill="${c.colour}"/>`).join("");
    return `<path d="${line}" fill="none" stroke="${c.colour}" stroke-width="2"><title>${escaped(c.name)}</title></path><path d="${bars}" stroke="${c.colour}" opacity=".5"/>${marks}`;
  });
  return drawing(title, [axes(x, y, xs, ys), ...drawn].join("\n"));
}
