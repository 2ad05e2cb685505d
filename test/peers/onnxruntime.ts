// onnxruntime on one thread, as WebAssembly (onnxruntime-web) or native (onnxruntime-node): one product W x that can be called again and again.
// W is random; before a product is handed out, rows of its answer are compared with plain sums.
import { createRandom } from "../../runtime/num/random.ts";
import { matMulInteger, matMulNBits } from "./onnx.ts";
import { importPeer } from "./peers.ts";

export type Flavour = "web" | "node";

export interface Tensor {
  readonly data: ArrayLike<number>;
}

export interface Session {
  run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

interface Ort {
  readonly env: { readonly wasm: { numThreads?: number } };
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
  readonly Tensor: new (type: string, data: Float32Array | Uint8Array | BigInt64Array, dims: readonly number[]) => Tensor;
}

const MODULES: Readonly<Record<Flavour, string>> = { web: "onnxruntime-web/dist/ort.node.min.mjs", node: "onnxruntime-node/dist/index.js" };
const PROVIDERS: Readonly<Record<Flavour, string>> = { web: "wasm", node: "cpu" };

/** Throws `file.missing` where the peer is not installed. */
async function load(flavour: Flavour): Promise<Ort> {
  const module = await importPeer<Ort & { default?: Ort }>(MODULES[flavour]);
  const ort = module.InferenceSession ? module : (module.default as Ort);
  if (flavour === "web") ort.env.wasm.numThreads = 1;
  return ort;
}

export interface Opened {
  readonly session: Session;
  tensor(type: string, data: Float32Array | Uint8Array | BigInt64Array, dims: readonly number[]): Tensor;
}

/** A model on one thread. Throws `file.missing` where the peer is not installed. */
export async function openModel(flavour: Flavour, model: Uint8Array): Promise<Opened> {
  const ort = await load(flavour);
  const session = await ort.InferenceSession.create(model, { executionProviders: [PROVIDERS[flavour]], intraOpNumThreads: 1, interOpNumThreads: 1 });
  return { session, tensor: (type, data, dims) => new ort.Tensor(type, data, dims) };
}

export interface Product {
  run(): Promise<void>;
  close(): Promise<void>;
}

interface Made {
  readonly model: Uint8Array;
  readonly type: "float32" | "uint8";
  readonly x: Float32Array | Uint8Array;
  /** Row r of W x. */
  row(r: number): number;
  /** Relative to the largest row: what rounding the activations may cost. */
  readonly within: number;
}

async function open(flavour: Flavour, { model, type, x, row, within }: Made): Promise<Product> {
  const { session, tensor } = await openModel(flavour, model);
  const feeds = { x: tensor(type, x, [1, x.length]) };
  const { y } = await session.run(feeds);
  const want = Array.from({ length: 16 }, (_, r) => row(r));
  const largest = Math.max(...want.map(Math.abs));
  const wrong = want.findIndex((v, r) => Math.abs(y.data[r] - v) > within * largest);
  if (wrong >= 0) throw new Error(`onnxruntime-${flavour} gives ${y.data[wrong]} for row ${wrong}, plain sums give ${want[wrong]}`);
  return {
    run: async () => {
      await session.run(feeds);
    },
    close: () => session.release(),
  };
}

function randomBytes(count: number): Uint8Array {
  const random = createRandom(count);
  return Uint8Array.from({ length: count }, () => random.u32() & 0xff);
}

/** W [n, k] int4 in blocks along k, x f32. */
export function int4Product(flavour: Flavour, n: number, k: number, block: number): Promise<Product> {
  const codes = randomBytes((n * k) / 2);
  const scale = 1 / 64;
  const x = Float32Array.from({ length: k }, (_, i) => Math.sin(i));
  const code = (at: number) => ((at % 2 ? codes[at >> 1] >> 4 : codes[at >> 1] & 15) - 8) * scale;
  const row = (r: number) => x.reduce((sum, v, i) => sum + v * code(r * k + i), 0);
  return open(flavour, { model: matMulNBits(n, k, 1, block, codes, scale), type: "float32", x, row, within: 0.05 });
}

/** W [n, k] int8, x u8: nothing is rounded. */
export function int8Product(flavour: Flavour, n: number, k: number): Promise<Product> {
  const codes = randomBytes(n * k);
  const x = randomBytes(k);
  const row = (r: number) => x.reduce((sum, v, i) => sum + v * ((codes[i * n + r] << 24) >> 24), 0);
  return open(flavour, { model: matMulInteger(n, k, 1, codes), type: "uint8", x, row, within: 0 });
}
