// The ladder of CoDeNet's engine: tiles with every kind of pass, and what must come out by the references of the ops.
import { imageBytes, pixelBytes, windows } from "../../../runtime/image/format.ts";
import { packFx16, packWeights } from "../../../runtime/image/weights.ts";
import { FX16_ZERO, type Fx16 } from "../../../runtime/num/fx16.ts";
import { createRandom, type Random } from "../../../runtime/num/random.ts";
import { REFERENCES } from "../../../runtime/ops/references.gen.ts";
import { convWords, packPass } from "../../../targets/devices/fpga/codenet/pack.ts";
import { encodePass, PASS_BYTES, SLICE, stepsOf } from "../../../targets/devices/fpga/codenet/pass.ts";
import type { Session } from "../../../targets/devices/fpga/link/session.ts";

export interface Tile {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  /** Channels that come in, and that go out of the convolution and the depthwise half. */
  readonly channels: number;
  readonly outputs: number;
  /** The convolution; absent: none. */
  readonly conv?: { readonly size: number; readonly stride: number; readonly pad: number; readonly codes: Int8Array; readonly nibbles: boolean; readonly quant: readonly Fx16[] };
  /** The depthwise half; absent: none. */
  readonly deep?: { readonly stride: number; readonly codes: Int8Array; readonly quant: readonly Fx16[] };
  /** Stored bytes of dilations, one an output pixel; absent: the ordinary convolution. */
  readonly dilation?: Int8Array;
  /** Stored bytes [height, width, channels]. */
  readonly x: Int8Array;
}

/** Which tile to make. `dilation`: one for all pixels, or "mixed". */
export interface Shape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outputs?: number;
  readonly conv?: { readonly size: number; readonly stride?: number; readonly pad?: number; readonly nibbles: boolean };
  readonly deep?: { readonly stride: number; readonly dilation?: number | "mixed" };
  readonly rails?: boolean;
}

const nameOf = ({ height, width, channels, outputs = channels, conv, deep }: Shape) =>
  [
    `${height}×${width}×${channels}`,
    conv && `conv ${conv.size}×${conv.size}${conv.stride && conv.stride > 1 ? `/${conv.stride}` : ""} ${conv.nibbles ? "W4" : "W8"} → ${outputs}`,
    deep && `dw${deep.stride > 1 ? "/2" : ""}${deep.dilation === undefined ? "" : ` s = ${deep.dilation}`}`,
  ]
    .filter(Boolean)
    .join(", ");

/** Scales that use the whole range of bytes for sums of this spread, and now and then go beyond it. */
function quantOf(random: Random, n: number, spread: number): Fx16[] {
  const shift = 16;
  const most = Math.min(32767, Math.round((180 * 2 ** shift) / spread));
  return Array.from({ length: n }, () => ({ scale: random.below(2 * most) - (most >> 2), shift, bias: random.below(256) - 64, relu: true }));
}

export function tileOf(random: Random, shape: Shape): Tile {
  const { height, width, channels, outputs = channels, conv, deep, rails = false } = shape;
  const draw = (most: number) => (rails ? (random.below(2) ? most - 1 : -most) : random.below(2 * most) - most);
  const codes = (n: number, most: number) => Int8Array.from({ length: n }, () => Math.max(draw(most), most === 8 ? -8 : -127));
  const [size, stride] = [conv?.size ?? 1, conv?.stride ?? 1];
  const pad = conv?.pad ?? size >> 1;
  const [cw, ch] = [windows(width, size, stride, pad), windows(height, size, stride, pad)];
  const pixels = deep ? Math.ceil(cw / deep.stride) * Math.ceil(ch / deep.stride) : 0;
  const dilation = deep?.dilation;
  return {
    name: nameOf(shape),
    height,
    width,
    channels,
    outputs,
    conv: conv && {
      size,
      stride,
      pad,
      nibbles: conv.nibbles,
      codes: codes(outputs * size * size * channels, conv.nibbles ? 8 : 128),
      quant: quantOf(random, outputs, 60 * Math.sqrt(size * size * channels) * (conv.nibbles ? 5 : 70)),
    },
    deep: deep && { stride: deep.stride, codes: codes(9 * outputs, conv?.nibbles ? 8 : 128), quant: quantOf(random, outputs, 60 * 3 * (conv?.nibbles ? 5 : 70)) },
    dilation: dilation === undefined ? undefined : Int8Array.from({ length: pixels }, () => (dilation === "mixed" ? random.below(8) : dilation) + FX16_ZERO),
    x: Int8Array.from({ length: height * width * channels }, () => draw(128)),
  };
}

const deepOf = (dilation: number | "mixed" | undefined, stride = 1) => ({ stride, dilation });
const W4 = { size: 1, nibbles: true } as const;
const W8 = { size: 1, nibbles: false } as const;

/** Every channel count over ordinary and deformable passes, both strides, both widths of weights; each dilation for itself; windows, borders, and slim tiles. */
export function ladder(seed = 1): Tile[] {
  const random = createRandom(seed);
  const shapes: Shape[] = [];
  for (const channels of [16, 20, 116]) {
    const [height, width] = channels === 116 ? [9, 11] : [18, 19];
    for (const stride of [1, 2]) for (const dilation of [undefined, "mixed"] as const) shapes.push({ height, width, channels, deep: deepOf(dilation, stride) });
    for (const conv of [W4, W8]) shapes.push({ height, width, channels, outputs: channels === 116 ? 20 : channels, conv, deep: deepOf("mixed", conv === W4 ? 1 : 2) });
    shapes.push({ height: 6, width: 7, channels, outputs: 20, conv: W4 }, { height: 6, width: 7, channels, outputs: 13, conv: W8 });
  }
  for (let s = 0; s < 8; s++) shapes.push({ height: 20, width: 17, channels: 16, conv: s % 2 ? W4 : W8, deep: deepOf(s, 1 + (s >> 2)), rails: s === 7 });
  shapes.push(
    { height: 13, width: 64, channels: 8, deep: deepOf("mixed") },
    { height: 17, width: 1, channels: 5, deep: deepOf("mixed") },
    { height: 1, width: 9, channels: 8, conv: W4, deep: deepOf(undefined) },
    { height: 3, width: 8, channels: 8, conv: W4, deep: deepOf(7) },
    { height: 10, width: 5, channels: 24, outputs: 8, conv: W4, deep: deepOf("mixed", 2) },
    { height: 12, width: 12, channels: 3, outputs: 24, conv: { size: 3, stride: 2, pad: 1, nibbles: false } },
    { height: 11, width: 9, channels: 1, outputs: 16, conv: { size: 3, stride: 2, pad: 1, nibbles: true } },
    { height: 9, width: 9, channels: 12, outputs: 9, conv: { size: 5, stride: 3, pad: 2, nibbles: false }, deep: deepOf(undefined) },
    { height: 4, width: 4, channels: 32, outputs: 10, conv: { size: 4, pad: 0, nibbles: true }, rails: true },
  );
  return shapes.map((shape) => tileOf(random, shape));
}

const words = (channels: number) => Math.ceil(channels / SLICE);

/** [rows, columns] after the convolution and after the depthwise half. */
export function sidesOf({ height, width, conv, deep }: Tile) {
  const [ch, cw] = conv ? [windows(height, conv.size, conv.stride, conv.pad), windows(width, conv.size, conv.stride, conv.pad)] : [height, width];
  const by = deep?.stride ?? 1;
  return { ch, cw, oh: Math.ceil(ch / by), ow: Math.ceil(cw / by) };
}

/** Operands in the layout of runtime/image. */
function padded(plain: Int8Array, channels: number): Uint8Array {
  const step = pixelBytes(channels);
  const out = new Int8Array((plain.length / channels) * step).fill(FX16_ZERO);
  for (let p = 0; p * channels < plain.length; p++) out.set(plain.subarray(p * channels, (p + 1) * channels), p * step);
  return new Uint8Array(out.buffer);
}

const packedQuant = (quant: readonly Fx16[]) =>
  packFx16(
    Int16Array.from(quant, (f) => f.scale),
    Int16Array.from(quant, (f) => f.bias),
  );

/** A step of the tile as an op: its variant, tensors and attributes, as a device of the runtime would be given them. */
export interface Operation {
  readonly op: "conv2d" | "dwconv2d" | "deform_dwconv2d";
  readonly variant: "w4" | "w8";
  readonly tensors: Record<string, Uint8Array>;
  readonly values: Record<string, number>;
}

function convOperation(t: Tile, x: Uint8Array): Operation {
  const { size, stride, pad, codes, nibbles, quant } = t.conv as NonNullable<Tile["conv"]>;
  const { ch: oh, cw: ow } = sidesOf(t);
  const variant = nibbles ? "w4" : "w8";
  const w = packWeights(nibbles ? "conv4" : "conv8", [t.outputs, size * size, t.channels], codes);
  const y = new Uint8Array(imageBytes(oh, ow, t.outputs));
  const sides = { height: t.height, width: t.width, channels: t.channels, oh, ow, outputs: t.outputs };
  return {
    op: "conv2d",
    variant,
    tensors: { x, w, quant: packedQuant(quant), y },
    values: { rows: 1, xs: x.length, ys: y.length, ...sides, size, stride, pad, shift: 16, relu: 1 },
  };
}

function deepOperation(t: Tile, x: Uint8Array): Operation {
  const { stride, codes, quant } = t.deep as NonNullable<Tile["deep"]>;
  const { ch: height, cw: width, oh, ow } = sidesOf(t);
  const y = new Uint8Array(imageBytes(oh, ow, t.outputs));
  const w = packWeights("dw8", [9, 1, t.outputs], codes);
  const values = { rows: 1, xs: x.length, ys: y.length, height, width, channels: t.outputs, oh, ow, stride, shift: 16, relu: 1 };
  if (!t.dilation) return { op: "dwconv2d", variant: "w8", tensors: { x, w, quant: packedQuant(quant), y }, values: { ...values, size: 3, pad: 1 } };
  const dilation = padded(t.dilation, 1);
  return { op: "deform_dwconv2d", variant: "w8", tensors: { x, dilation, w, quant: packedQuant(quant), y }, values: { ...values, ds: dilation.length } };
}

/** What comes out, stored bytes [oh, ow, outputs], by `run`: the references, or a device of the runtime. */
export async function through(t: Tile, run: (o: Operation) => void | Promise<void>): Promise<number[]> {
  let x = padded(t.x, t.channels);
  for (const make of [t.conv && convOperation, t.deep && deepOperation]) {
    if (!make) continue;
    const operation = make(t, x);
    await run(operation);
    x = operation.tensors.y;
  }
  const step = pixelBytes(t.outputs);
  const bytes = new Int8Array(x.buffer, x.byteOffset, x.length);
  return Array.from({ length: (bytes.length / step) * t.outputs }, (_, i) => bytes[Math.floor(i / t.outputs) * step + (i % t.outputs)]);
}

export const byReference = ({ op, variant, tensors, values }: Operation): void => REFERENCES[op]({ tensors, values }, variant);

export interface TileRun {
  readonly values: number[];
  readonly cycles: number;
}

/** Loads a tile onto a device, runs its pass and reads what came out. */
export async function runTile(session: Session, t: Tile): Promise<TileRun> {
  const { ch, cw, oh, ow } = sidesOf(t);
  const [xw, slices] = [words(t.channels), words(t.outputs)];
  const { size = 1, stride = 1, pad = 0, nibbles = false } = t.conv ?? {};
  const image = new Int8Array(8 * xw * t.height * t.width).fill(FX16_ZERO);
  for (let p = 0; p < t.height * t.width; p++) image.set(t.x.subarray(p * t.channels, (p + 1) * t.channels), 8 * xw * p);
  const conv = t.conv && { codes: t.conv.codes, outputs: t.outputs, taps: size * size, channels: t.channels, nibbles, quant: t.conv.quant };
  const deep = t.deep && { codes: t.deep.codes, channels: t.outputs, quant: t.deep.quant };
  const packed = packPass(conv, deep);
  const map = new Int8Array(8 * Math.ceil((t.dilation?.length ?? 0) / 8));
  map.set(t.dilation ?? []);
  const x = PASS_BYTES / 8;
  const weights = x + image.length / 8;
  const dilation = weights + packed.length / 8;
  const y = dilation + map.length / 8;
  const { pitch } = stepsOf({ width: t.width, xw, stride });
  const pass = encodePass({
    x: x - pad * (pitch + xw),
    y,
    weights,
    dilation,
    count: conv ? convWords(conv) : 0,
    ...{ width: t.width, height: t.height, cw, ch, size, pad, stride, xw, slices, nibbles },
    ...{ conv: conv !== undefined, deep: deep !== undefined, deform: t.dilation !== undefined, byTwo: t.deep?.stride === 2, bytes: false },
    ...{ shiftConv: 16, shiftDeep: 16 },
  });
  const parts = [pass, new Uint8Array(image.buffer), packed, new Uint8Array(map.buffer)];
  let at = 0;
  for (const part of parts) {
    if (part.length) await session.write("weights", at, part);
    at += part.length / 8;
  }
  const cycles = await session.run(0, 1);
  const bytes = new Int8Array((await session.read("weights", y, oh * ow * slices)).buffer);
  return { values: Array.from({ length: oh * ow * t.outputs }, (_, i) => bytes[8 * slices * Math.floor(i / t.outputs) + (i % t.outputs)]), cycles };
}
