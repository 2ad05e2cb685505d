// Skint's resident loader: an image of its own in an FPGA's flash that writes the next one (targets/devices/fpga/rtl/loader). Frames with checksums,
// requests that may be repeated, and a region that the gateware itself does not let anybody leave.
import { SkintError } from "../../../runtime/errors.ts";
import { crc32 } from "../../devices/fpga/link/crc.ts";
import type { Line } from "../../devices/fpga/link/line.ts";
import { encodeFetch, encodeProgram, isLoader, LOADER_OPS, MAX_DATA, parseIdentity, words32 } from "../../devices/fpga/link/loader.ts";
import { Session } from "../../devices/fpga/link/session.ts";
import type { Extent } from "../image/extent.ts";
import type { Chip, LineProtocol } from "../protocol.ts";
import { skintTwin } from "../twins/skint.ts";

/** Two to a page. */
const PIECE = 128;
/** Longer than the loader waits before it starts the image, ms. */
const LEAVING = 100;

export const protocol: LineProtocol = {
  name: "skint",
  title: "Skint's resident loader",
  kind: "line",
  tried: "the Verilated loader and its twin before a model of the flash; never a board",
  twin: skintTwin,
  async connect(line, _, { signal } = {}) {
    const session = await Session.open(line, { signal });
    const { hello } = session;
    if (!isLoader(hello))
      throw new SkintError("device.wrong", `${line.name} has an engine that is at work already; press reset, and flash while the loader waits`, { what: line.name });
    const [identity] = await session.all([{ op: LOADER_OPS.identify, payload: new Uint8Array(0) }]);
    const { start, end } = parseIdentity(identity, line.name);
    return new SkintChip(session, line, hello.board, { start, end });
  },
};

class SkintChip implements Chip {
  readonly sector = 4096;

  constructor(
    private readonly session: Session,
    private readonly line: Line,
    readonly id: string,
    readonly region: Chip["region"],
  ) {}

  async erase(at: number): Promise<void> {
    await this.session.all([{ op: LOADER_OPS.erase, payload: words32(at) }]);
  }

  async program(at: number, bytes: Uint8Array): Promise<void> {
    const pieces = Array.from({ length: Math.ceil(bytes.length / PIECE) }, (_, i) => ({ at: at + i * PIECE, data: bytes.subarray(i * PIECE, (i + 1) * PIECE) }));
    const written = pieces.filter(({ data }) => data.some((b) => b !== 0xff));
    await this.session.all(written.map((p) => ({ op: LOADER_OPS.program, payload: encodeProgram(p.at, p.data) })));
  }

  async read(at: number, count: number): Promise<Uint8Array> {
    const requests = Array.from({ length: Math.ceil(count / MAX_DATA) }, (_, i) => {
      const from = i * MAX_DATA;
      return { op: LOADER_OPS.fetch, payload: encodeFetch(at + from, Math.min(MAX_DATA, count - from)) };
    });
    const out = new Uint8Array(count);
    const replies = await this.session.all(requests);
    replies.forEach((r, i) => {
      if (r.length > count - i * MAX_DATA) throw new SkintError("device.wrong", `${this.line.name} gave more bytes than it was asked for`, { what: this.line.name });
      out.set(r, i * MAX_DATA);
    });
    return out;
  }

  resync(): Promise<void> {
    return this.session.reopen();
  }

  async boot({ bytes }: Extent): Promise<void> {
    const crc = crc32(bytes);
    const [reply] = await this.session.all([{ op: LOADER_OPS.boot, payload: words32(bytes.length, crc) }]);
    const sum = reply.length === 4 ? new DataView(reply.buffer, reply.byteOffset).getUint32(0, true) : undefined;
    if (sum !== crc) throw new SkintError("flash.verify", `the loader on ${this.line.name} sums the image to another CRC-32 and does not start it`, { what: this.line.name });
    await this.line.read(LEAVING);
  }
}
