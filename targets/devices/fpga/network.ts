// A network that lies on the FPGA as a whole: its layers run one after the other by the engine's sequencer, each on the results of the one before,
// without the host. Activations go to and fro between two places; every layer but the last is requantised to int8, the last may give its sums.
import { SkintError } from "../../../runtime/errors.ts";
import { type Hello, WORD_BYTES } from "./link/protocol.ts";
import type { Session } from "./link/session.ts";
import { load, type Section } from "./resident.ts";
import { encodeLayer, encodeRow, LAYER_BYTES, MAX_ROWS, MAX_STEPS, type Mode, type RowScale, requantise } from "./twin/layer.ts";
import { packRows, ROW_CODES } from "./twin/pack.ts";

export interface NetworkLayer {
  readonly mode: Mode;
  /** W [n, k]; k is the n of the layer before. */
  readonly n: number;
  readonly k: number;
  /** int8 [n, k], int4 in −8 … 7 where the mode says so. */
  readonly codes: Int8Array;
  /** With 2:4: the two places of each four that are kept, u8 [n, 2·⌈k/4⌉]. */
  readonly kept?: Uint8Array;
  /** Of each row (twin/layer.ts, `nearestScale` makes them of factors). Absent: sums as i32, in the last layer only. */
  readonly scales?: readonly RowScale[];
  readonly relu?: boolean;
}

export interface NetworkRun {
  /** int8 or, without scales, i32 values [n] of the last layer. */
  readonly y: Int8Array | Int32Array;
  readonly cycles: number;
}

interface Plan {
  readonly sections: readonly Section[];
  /** Where the first layer's activations and the last one's results are, in words. */
  readonly x: number;
  readonly y: number;
}

const words = (codes: number) => (ROW_CODES / WORD_BYTES) * Math.ceil(codes / ROW_CODES);

/** Where everything lies. Throws `usage` for layers that do not fit one another, `plan.memory` for a network that is too large for the device. */
function plan(layers: readonly NetworkLayer[], { words: room }: Hello): Plan {
  if (layers.length === 0) throw new SkintError("usage", "a network without layers was given; give at least one");
  const widest = Math.max(...layers.map((l) => words(l.k)));
  const sections: Section[] = [];
  let weights = 0;
  let parameters = (LAYER_BYTES / WORD_BYTES) * layers.length;
  let [from, to] = [0, widest];
  layers.forEach((l, i) => {
    check(l, i, layers);
    const packed = packRows(l.mode, l.codes, l.n, l.k, l.kept);
    if (packed.rows > MAX_ROWS || packed.steps > MAX_STEPS)
      throw new SkintError("plan.memory", `layer ${i} of the network, ${l.n} × ${l.k}, is beyond the engine's counters; cut it`);
    const layer = {
      mode: l.mode,
      rows: packed.rows,
      steps: packed.steps,
      weights,
      activations: from,
      results: to,
      parameters,
      requantise: l.scales !== undefined,
      relu: l.relu === true,
    };
    sections.push({ memory: "weights", at: weights, bytes: packed.words }, { memory: "parameters", at: (LAYER_BYTES / WORD_BYTES) * i, bytes: encodeLayer(layer) });
    if (l.scales) {
      const rows = new Uint8Array(WORD_BYTES * packed.rows);
      l.scales.forEach((s, r) => {
        rows.set(encodeRow(s), WORD_BYTES * r);
      });
      sections.push({ memory: "parameters", at: parameters, bytes: rows });
      parameters += packed.rows;
    }
    weights += packed.words.length / WORD_BYTES;
    [from, to] = [to, from];
  });
  const last = layers[layers.length - 1];
  const activations = Math.max(2 * widest, from + Math.ceil((last.n + 1) / 2));
  const over = [weights > room.weights && "weights", parameters > room.parameters && "parameters", activations > room.activations && "activations"].filter(Boolean);
  if (over.length)
    throw new SkintError(
      "plan.memory",
      `the network needs ${weights} words of weights, ${parameters} of parameters and ${activations} of activations; the device has ${room.weights}, ${room.parameters} and ${room.activations}`,
      {
        what: over.join(", "),
      },
    );
  return { sections, x: 0, y: from };
}

function check({ n, k, codes, scales }: NetworkLayer, i: number, layers: readonly NetworkLayer[]): void {
  const before = layers[i - 1];
  const wrong =
    codes.length !== n * k
      ? `has ${codes.length} codes`
      : before && before.n !== k
        ? `follows one of ${before.n} results`
        : !scales && i < layers.length - 1
          ? "has no scales and is not the last"
          : scales && scales.length !== n
            ? `has ${scales.length} scales`
            : undefined;
  if (wrong) throw new SkintError("usage", `layer ${i} of the network, ${n} × ${k}, ${wrong}`, { what: `layer ${i}` });
}

export class FpgaNetwork {
  private constructor(
    private readonly session: Session,
    private readonly layers: readonly NetworkLayer[],
    private readonly at: Plan,
  ) {}

  /** Brings a network over; what the device has already is not sent again. */
  static async load(session: Session, layers: readonly NetworkLayer[], onProgress?: (done: number, total: number) => void): Promise<FpgaNetwork> {
    const at = plan(layers, session.hello);
    await load(session, at.sections, onProgress);
    return new FpgaNetwork(session, layers, at);
  }

  /** x int8 [k of the first layer]. */
  async run(x: Int8Array): Promise<NetworkRun> {
    const [first, last] = [this.layers[0], this.layers[this.layers.length - 1]];
    if (x.length !== first.k) throw new SkintError("usage", `${x.length} activations were given; the network's first layer takes ${first.k}`);
    const bytes = new Uint8Array(WORD_BYTES * words(first.k));
    bytes.set(new Uint8Array(x.buffer, x.byteOffset, x.length));
    await this.session.write("activations", this.at.x, bytes);
    const cycles = await this.session.run(0, this.layers.length);
    const out = await this.session.read("activations", this.at.y, Math.ceil((last.n * (last.scales ? 1 : 4)) / WORD_BYTES));
    return { y: last.scales ? new Int8Array(out.buffer, 0, last.n) : new Int32Array(out.buffer, 0, last.n), cycles };
  }
}

/** What a network gives, slow and obvious. */
export function reference(layers: readonly NetworkLayer[], x: Int8Array): number[] {
  return layers.reduce<number[]>(
    (values, { n, k, codes, scales, relu }) =>
      Array.from({ length: n }, (_, r) => {
        const sum = values.reduce((acc, v, i) => acc + v * codes[r * k + i], 0);
        return scales ? requantise(sum, scales[r], relu === true) : sum;
      }),
    [...x],
  );
}
