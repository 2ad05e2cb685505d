// A network over images that lies on an FPGA as a whole, for `skint run --target fpga:…`: what it says to an image, in how many clocks, and what went
// over the line for it.
import type { ImageModel } from "../../runtime/session/images/model.ts";
import { BOARDS } from "../../targets/devices/fpga/boards/catalogue.gen.ts";
import { CodenetNetwork } from "../../targets/devices/fpga/codenet/network.ts";
import { judge } from "../../targets/devices/fpga/device.ts";
import { Session } from "../../targets/devices/fpga/link/session.ts";
import type { Context } from "../cli/context.ts";
import { knownBoards, modelBoard, openLine } from "../cli/target.ts";

/** What an image cost. */
export interface Cost {
  /** Clocks of the engine, and the time they take at the board's clock, in µs. */
  readonly cycles: number;
  readonly us: number;
  /** Bytes on the line both ways, and the time they take at the board's baud rate, in ms. */
  readonly bytes: number;
  readonly linkMs: number;
}

/** Bits a byte takes on the line: a start bit, eight, a stop bit. */
const BITS = 10;

export class ResidentNetwork {
  private constructor(
    readonly session: Session,
    readonly network: CodenetNetwork,
    readonly baud: number,
  ) {}

  /** Brings a model's convolutions onto the device of a target. Throws what opening a line and loading a network throw. */
  static async open(target: string, model: ImageModel, context: Context): Promise<ResidentNetwork> {
    const line = await openLine(target, "codenet", context.signal);
    const progress = context.progress("loading the network onto the FPGA");
    try {
      const session = await Session.open(line, { signal: context.signal });
      judge(session.hello, knownBoards("codenet"), line.name);
      const weights = model.engine.placements();
      const network = await CodenetNetwork.load(
        session,
        model.engine.graph,
        (name) => weights.get(name) as Uint8Array,
        (done, total) => progress.update(done, total),
      );
      const board = Object.values(BOARDS).find((b) => b.name === session.hello.board) ?? modelBoard("codenet");
      return new ResidentNetwork(session, network, board.baud);
    } catch (e) {
      await line.close();
      throw e;
    } finally {
      progress.end();
    }
  }

  /** Scores f32 [classes] of an image u8 [height, width, channels]. */
  async classify(image: Uint8Array): Promise<{ scores: Float32Array; cost: Cost }> {
    const before = this.session.traffic;
    const { scores, cycles } = await this.network.run(image);
    const after = this.session.traffic;
    const bytes = after.sent + after.received - before.sent - before.received;
    return { scores, cost: { cycles, us: (1000 * cycles) / this.session.hello.khz, bytes, linkMs: (1000 * BITS * bytes) / this.baud } };
  }

  /** "19.2 kB on icebr-cn (fpga:sim), 24 MHz". */
  get place(): string {
    const { hello, line } = this.session;
    return `${(this.network.residentBytes / 1000).toFixed(1)} kB on ${hello.board} (${line.name}), ${hello.khz / 1000} MHz`;
  }

  close(): Promise<void> {
    return this.session.line.close();
  }
}

/** What an image cost, in a line. */
export const costLine = ({ cycles, us, bytes, linkMs }: Cost): string => `${cycles} clocks, ${us.toFixed(0)} µs; ${bytes} bytes on the line, ${linkMs.toFixed(1)} ms`;
