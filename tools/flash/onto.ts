// An image onto one board, over a line or as a file on a drive, and what is told of it.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SkintError } from "../../runtime/errors.ts";
import { BOARDS } from "../../targets/devices/fpga/boards/catalogue.gen.ts";
import type { Line } from "../../targets/devices/fpga/link/line.ts";
import { Session } from "../../targets/devices/fpga/link/session.ts";
import { type SelfTest, selfTest } from "../../targets/devices/fpga/selftest.ts";
import { Flasher, type FlashReport } from "../../targets/flash/flasher.ts";
import { type Claim, claimsOf, judgeBoard } from "../../targets/flash/image/claims.ts";
import type { Extent } from "../../targets/flash/image/extent.ts";
import { judgeRegion } from "../../targets/flash/image/read.ts";
import type { FileProtocol, LineProtocol, Target } from "../../targets/flash/protocol.ts";
import { skintTwin } from "../../targets/flash/twins/skint.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import { buildLoader, loaderSimulator } from "../../targets/hosts/node/loader-simulator.ts";
import { serialLine } from "../../targets/hosts/node/serial.ts";
import { buildSimulator, simulatorLine } from "../../targets/hosts/node/simulator.ts";
import type { Context } from "../cli/context.ts";
import { simulatedParameters, twinOf } from "../cli/target.ts";

export interface FlashJob {
  readonly image: Extent;
  /** Of the file, for messages. */
  readonly name: string;
  readonly target: Target;
  readonly port?: string;
  readonly dryRun: boolean;
  readonly selfTest: boolean;
  /** Write it although it says that it is for another board. */
  readonly force: boolean;
}

export interface Flashed extends Partial<FlashReport> {
  readonly board: string;
  readonly port: string | null;
  readonly dryRun: boolean;
  readonly start: number;
  readonly bytes: number;
  readonly sha256: string;
  /** What the image says it is for; nothing if it does not. */
  readonly claims: readonly Claim[];
  readonly selfTest?: SelfTest;
  readonly seconds?: number;
}

const digest = (bytes: Uint8Array) => {
  const hasher = sha256();
  hasher.update(bytes);
  return hasher.digest();
};

/** Throws what keeps an image from being this board's; a damaged one is nobody's. */
function judge({ image, name, target, force }: FlashJob): void {
  judgeRegion(image, target.region, name);
  if (force) claimsOf(image, name, digest);
  else judgeBoard(image, target, name, digest);
}

const plain = ({ image, name, target, port, dryRun }: FlashJob): Flashed => ({
  board: target.name,
  port: port ?? null,
  dryRun,
  start: image.start,
  bytes: image.bytes.length,
  sha256: digest(image.bytes),
  claims: claimsOf(image, name, digest),
});

const noPort = (target: Target, how: string) => new SkintError("usage", `say where ${target.title} is: --port ${how}; or --dry-run to judge the file only`, { what: "--port" });

async function openLine(protocol: LineProtocol, target: Target, port: string, signal: AbortSignal): Promise<Line> {
  const board = protocol.name === "skint" ? BOARDS[target.name] : undefined;
  if (port === "twin") return board ? skintTwin(target, () => twinOf(board)).line : protocol.twin(target).line;
  if (port === "sim" && board) {
    const engine = await buildSimulator("rtl", simulatedParameters(board), signal, board.design);
    const folder = mkdtempSync(join(tmpdir(), "skint-flash-"));
    const { line } = loaderSimulator(await buildLoader(target, signal), folder, [], async () => simulatorLine(engine));
    return { ...line, close: () => line.close().finally(() => rmSync(folder, { recursive: true, force: true })) };
  }
  const [, path, baud] = /^(.+?)(?:@(\d+))?$/.exec(port) ?? [];
  return serialLine(path ?? port, baud ? Number(baud) : target.baud, protocol.parity);
}

/** Throws what the flasher, the protocol and the line throw. */
export async function flashLine(job: FlashJob, protocol: LineProtocol, context: Context): Promise<Flashed> {
  const { image, name, target, port, dryRun, force } = job;
  judge(job);
  if (!port) {
    if (dryRun) return plain(job);
    throw noPort(target, "<serial port>, or twin");
  }
  const began = performance.now();
  const line = await openLine(protocol, target, port, context.signal);
  let progress = context.progress(`asking ${line.name}`);
  let shown = "";
  try {
    const chip = await protocol.connect(line, target, { signal: context.signal });
    const flasher = new Flasher(chip, target, line.name, {
      signal: context.signal,
      dryRun,
      force,
      hash: digest,
      onProgress(stage, done, total) {
        if (stage !== shown) {
          progress.end();
          progress = context.progress(`${stage} ${name}`, "bytes", total);
        }
        shown = stage;
        progress.update(done, total);
      },
    });
    const report = await flasher.flash(image, name);
    progress.end();
    const tested = report.booted && target.answers && job.selfTest ? await selfTest(await Session.open(line, { signal: context.signal }), BOARDS[target.name]?.design) : undefined;
    return { ...plain(job), ...report, ...(tested ? { selfTest: tested } : {}), seconds: (performance.now() - began) / 1000 };
  } finally {
    progress.end();
    await line.close();
  }
}

/** Onto a drive, or into a file. Throws `file.*` of the drive. */
export async function flashFile(job: FlashJob, protocol: FileProtocol): Promise<Flashed> {
  const { image, target, port, dryRun } = job;
  judge(job);
  if (dryRun) return plain(job);
  if (!port) throw noPort(target, "<drive or file>");
  const bytes = protocol.encode(image, target);
  const path = statSync(port, { throwIfNoEntry: false })?.isDirectory() ? join(port, `skint.${protocol.extension}`) : port;
  writeFileSync(path, bytes);
  const back = protocol.decode(new Uint8Array(readFileSync(path)), path, target);
  const from = image.start - back.start;
  if (digest(back.bytes.subarray(from, from + image.bytes.length)) !== digest(image.bytes))
    throw new SkintError("flash.verify", `${path} reads back as something else than was written; is the drive full? write it again`, { what: path });
  return plain(job);
}

export function describeFlashed(done: Flashed, target: Target): string {
  const unsaid = done.claims.length ? "" : "\nthe image does not say which board it is for";
  const place = `${done.bytes} bytes at 0x${done.start.toString(16)} of ${target.title}, sha256 ${done.sha256}${unsaid}`;
  if (done.dryRun) {
    const would = done.sectors === undefined ? "the file fits the board" : `${done.written} of ${done.sectors} sectors would be written`;
    return `${would}; nothing was written\n${place}`;
  }
  if (done.sectors === undefined) return `written to ${done.port}; the board starts it by itself\n${place}`;
  const lines = [
    `written: ${done.written} of ${done.sectors} sectors, the others were right already; ${done.repeats} begun again; ${done.seconds?.toFixed(1)} s`,
    `read back and ${done.confirmed ? "started" : "told to start, which this boot loader does not answer"}: ${place}`,
  ];
  const test = done.selfTest;
  if (test)
    lines.push(
      `self-test: ${test.layers} layers right, ${test.macs} multiply-adds in ${test.cycles} clocks (${(test.macs / test.cycles).toFixed(2)} a clock), ${test.microseconds.toFixed(1)} µs at the board's clock`,
    );
  return lines.join("\n");
}
