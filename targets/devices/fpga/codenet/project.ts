// What a network of convolutions takes on CoDeNet's engine before anybody has built it: every convolution cut into passes that the engine accepts, their
// clocks by the twin's model (engine.ts), and the bytes that go over the line. The memory holds a tile and the weights of some slices; what a pass makes goes
// back to the host, which joins, shuffles, pools and widens images between passes, and computes what the engine cannot.
import type { Graph, GraphNode } from "../../../../runtime/graph/types.ts";
import { passCycles, sliceWords } from "./engine.ts";
import { attrs, type Layer, macsOf, wordsOf } from "./layer.ts";
import { convWords } from "./pack.ts";
import { decodePass, encodePass, MOST, PASS_BYTES, type Pass } from "./pass.ts";

export interface Room {
  /** Words of 64 bits: of the memory, of a slice's weights. */
  readonly memory: number;
  readonly buffer: number;
  /** Columns of the line buffer. */
  readonly columns: number;
}

export interface Projection {
  readonly passes: number;
  readonly clocks: number;
  /** Bytes there and back: passes, weights, tiles and what comes of them. */
  readonly bytes: number;
  /** Multiply-adds that the engine does; pixels that tiles share count once. */
  readonly macs: number;
  /** Convolutions that the host computes, as a slice of their weights or a pixel is beyond the engine, and their multiply-adds. */
  readonly host: readonly string[];
  readonly hostMacs: number;
}

const WORD = 8;
/** Neighbours beyond a tile that its border pixels see: a tap, or the largest dilation. */
const HALO = { dwconv2d: 1, deform_dwconv2d: 7 } as const;

/** Convolutions in their order; a depthwise one joins the convolution whose output it alone reads. */
function layersOf(graph: Graph): Layer[] {
  const readers = new Map<string, number>();
  for (const { tensors } of graph.nodes) for (const [role, name] of Object.entries(tensors)) if (role !== "y") readers.set(name, (readers.get(name) ?? 0) + 1);
  const layers: Layer[] = [];
  for (const node of graph.nodes) {
    const deep = node.op === "dwconv2d" || node.op === "deform_dwconv2d";
    if (!deep && node.op !== "conv2d") continue;
    const before = layers.findIndex((l) => l.conv?.tensors.y === node.tensors.x && !l.deep);
    if (deep && before >= 0 && readers.get(node.tensors.x) === 1) layers[before] = { ...layers[before], deep: node };
    else layers.push(deep ? { deep: node } : { conv: node });
  }
  return layers;
}

/** Stretches [from, to) of the rows or columns before the depthwise half, at most `most` each with their halo, whose outputs make up `length` of them. */
function stretches(length: number, most: number, halo: number, by: number): [from: number, to: number][] {
  if (length <= most) return [[0, length]];
  const out: [number, number][] = [];
  const inner = most - 2 * halo - ((most - 2 * halo) % by);
  if (inner <= 0) return [];
  for (let at = 0; at < length; at += inner) out.push([Math.max(0, at - halo), Math.min(length, at + inner + halo)]);
  return out;
}

interface Cut {
  readonly passes: Pass[];
  readonly bytes: number;
}

/** A layer in tiles of at most `columns` × `rows` of what its first half makes, in groups of `group` slices; undefined if a tile is too large. */
function cut(layer: Layer, columns: number, rows: number, group: number, room: Room): Cut | undefined {
  const { conv, deep } = layer;
  const [c, d] = [conv && attrs(conv), deep && attrs(deep)];
  const of = (c ?? d) as Record<string, number>;
  const { size, stride, pad } = c ?? { size: 1, stride: 1, pad: 0 };
  const [height, width] = c ? [c.oh, c.ow] : [of.height, of.width];
  const by = d?.stride ?? 1;
  // Outputs of a tile begin where those of the whole image do.
  const halo = deep ? by * Math.ceil(HALO[deep.op as keyof typeof HALO] / by) : 0;
  const deform = deep?.op === "deform_dwconv2d";
  const [xw, slices] = [wordsOf(of.channels), wordsOf(c ? c.outputs : of.channels)];
  const nibbles = conv?.variant === "w4";
  const count = c ? convWords({ taps: size ** 2, channels: of.channels, nibbles }) : 0;
  const weights = sliceWords({ count, deep: deep !== undefined });
  const tiles = stretches(height, rows, halo, by).flatMap(([top, bottom]) => stretches(width, columns, halo, by).map(([left, right]) => [bottom - top, right - left] as const));
  const passes: Pass[] = [];
  let features = 0;
  for (let slice = 0; slice < slices; slice += group) {
    const taken = Math.min(group, slices - slice);
    for (const [ch, cw] of tiles) {
      const [h, w] = [(ch - 1) * stride + size, (cw - 1) * stride + size];
      // Without a convolution a slice sees its own channels only.
      const words = conv ? xw : taken;
      const [input, output] = [h * w * words, Math.ceil(ch / by) * Math.ceil(cw / by) * taken];
      const map = deform ? Math.ceil((ch * cw) / WORD) : 0;
      if (PASS_BYTES / WORD + input + map + output + weights * taken > room.memory || Math.max(h, w, words, taken) > MOST) return undefined;
      passes.push({
        ...{ x: 0, y: 0, weights: 0, dilation: 0, count, width: w, height: h, cw, ch, size, stride, pad, xw: words, slices: taken },
        ...{ conv: conv !== undefined, deep: deep !== undefined, deform, byTwo: by === 2, nibbles, bytes: false, shiftConv: 16, shiftDeep: 16 },
      });
      features += WORD * (input + map + output) + PASS_BYTES;
    }
  }
  if (!tiles.length) return undefined;
  // Weights of a group stay for all its tiles.
  return { passes, bytes: features + WORD * weights * slices };
}

/** The cut with the fewest bytes on the line; undefined if the engine accepts none. */
function best(layer: Layer, room: Room): Cut | undefined {
  const of = attrs((layer.conv ?? layer.deep) as GraphNode);
  const slices = wordsOf(layer.conv ? of.outputs : of.channels);
  const wide = layer.deep ? room.columns : MOST;
  let least: Cut | undefined;
  for (const columns of [wide, 128, 64, 32, 16, 8].filter((n, i) => n < wide || i === 0))
    for (let group = Math.min(slices, MOST); group >= 1; group = group === 1 ? 0 : Math.ceil(group / 2)) {
      // The highest tile that fits: lower ones only repeat more.
      for (const rows of [MOST, 128, 64, 48, 32, 24, 16, 8, 4, 2, 1]) {
        const found = cut(layer, columns, rows, group, room);
        if (!found) continue;
        if (!least || found.bytes < least.bytes) least = found;
        break;
      }
    }
  return least;
}

/** What an image takes on an engine with this much room. Frames of the line are not in its bytes. */
export function project(graph: Graph, room: Room): Projection {
  let [passes, clocks, bytes, macs, hostMacs] = [0, 0, 0, 0, 0];
  const host: string[] = [];
  for (const layer of layersOf(graph)) {
    const work = macsOf(layer);
    const found = best(layer, room);
    const decoded = found?.passes.map((p) => decodePass(encodePass(p), room));
    if (!found || !decoded?.every((p) => p !== undefined)) {
      host.push([layer.conv?.name, layer.deep?.name].filter(Boolean).join(" + "));
      hostMacs += work;
      continue;
    }
    passes += found.passes.length;
    for (const p of decoded) if (p) clocks += passCycles(p);
    bytes += found.bytes;
    macs += work;
  }
  return { passes, clocks, bytes, macs, host, hostMacs };
}
