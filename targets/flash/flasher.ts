// How an image gets onto a chip, whatever it speaks: what is there already is left, what differs is erased, programmed and read back sector by sector,
// and in the end all of it is read back once more and its hash compared. The chip's own memory is the record of how far it got: after a cut the
// same call goes on where it was. The first sector is erased first and written last, so that a half-written image never starts.
import { SkintError, throwIfAborted } from "../../runtime/errors.ts";
import { judgeBoard } from "./image/claims.ts";
import { type Extent, hex } from "./image/extent.ts";
import { judgeRegion } from "./image/read.ts";
import type { Chip, Target } from "./protocol.ts";
import { wrongChip } from "./protocol.ts";
import { patiently } from "./wire.ts";

export type Stage = "comparing" | "writing" | "checking";

export interface FlashOptions {
  readonly signal?: AbortSignal;
  /** Looks and plans, writes nothing, boots nothing. */
  readonly dryRun?: boolean;
  /** Writes an image that says that it is for another board. */
  readonly force?: boolean;
  /** SHA-256 as hexadecimal digits. */
  readonly hash: (bytes: Uint8Array) => string;
  readonly onProgress?: (stage: Stage, done: number, total: number) => void;
}

export interface FlashReport {
  readonly id: string;
  readonly start: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly sectors: number;
  /** Of these, written in this run; with a dry run: that would be. */
  readonly written: number;
  /** Sectors that had to be begun again. */
  readonly repeats: number;
  /** It was told to start what was written. */
  readonly booted: boolean;
  /** It answered that it does; some boot loaders never answer. */
  readonly confirmed: boolean;
}

interface Sector {
  readonly at: number;
  /** What has to stand there: bytes of the image, and what was there before and behind it. */
  readonly want: Uint8Array;
}

export class Flasher {
  private repeats = 0;
  private right = 0;
  private total = 0;
  private touched = false;

  constructor(
    private readonly chip: Chip,
    private readonly target: Target,
    private readonly line: string,
    private readonly options: FlashOptions,
  ) {
    if (chip.id !== target.id) throw wrongChip(line, chip.id, target);
  }

  /** Once. Throws `flash.board`, `flash.region`, `flash.verify`, what the protocol throws; the message says what state the board is in. */
  async flash(image: Extent, name: string): Promise<FlashReport> {
    judgeRegion(image, this.chip.region, name);
    const { hash, dryRun, force } = this.options;
    if (!force) judgeBoard(image, this.target, name, hash);
    const sha256 = hash(image.bytes);
    try {
      const { sectors, wrong } = await this.compare(image);
      if (!dryRun) {
        await this.write(wrong);
        await this.verify(image, sha256);
        await this.patiently(() => this.chip.boot(image));
      }
      const { chip, repeats } = this;
      return {
        id: chip.id,
        start: image.start,
        bytes: image.bytes.length,
        sha256,
        sectors,
        written: wrong.length,
        repeats,
        booted: !dryRun,
        confirmed: !dryRun && !chip.bootsUnheard,
      };
    } catch (e) {
      if (!(e instanceof SkintError)) throw e;
      throw new SkintError(e.code, `${e.message}; ${this.state()}`, e.place, { cause: e });
    } finally {
      this.chip.release?.();
    }
  }

  /** What a person has to know when it ends early. */
  private state(): string {
    if (!this.touched) return "nothing was written";
    const still = this.chip.erase ? "the board starts none of it" : "do not start the board";
    return `${this.right} of ${this.total} sectors are right, ${this.right < this.total ? still : "it was not started"}: run the same command again to go on`;
  }

  private async compare(image: Extent): Promise<{ sectors: number; wrong: Sector[] }> {
    const size = this.chip.sector;
    const first = Math.floor(image.start / size) * size;
    const end = image.start + image.bytes.length;
    this.total = Math.ceil((end - first) / size);
    const wrong: Sector[] = [];
    for (let at = first; at < end; at += size) {
      const there = await this.patiently(() => this.chip.read(at, this.within(at + size) - at));
      const want = there.slice();
      const from = Math.max(at, image.start);
      want.set(image.bytes.subarray(from - image.start, Math.min(end, at + want.length) - image.start), from - at);
      if (equal(there, want)) this.right++;
      else wrong.push({ at, want });
      this.options.onProgress?.("comparing", Math.min(at + size, end) - image.start, image.bytes.length);
    }
    return { sectors: this.total, wrong };
  }

  /** Sectors at the rim of the region are whole, or end with it. */
  private within(end: number): number {
    return Math.min(end, this.chip.region.end);
  }

  private async write(wrong: readonly Sector[]): Promise<void> {
    if (wrong.length === 0) return;
    const { chip } = this;
    const [head, ...rest] = wrong;
    this.touched = true;
    if (chip.erase) await this.patiently(async () => chip.erase?.(head.at));
    let done = 0;
    const total = wrong.reduce((sum, s) => sum + s.want.length, 0);
    for (const sector of [...rest, head]) {
      await this.patiently(() => this.writeSector(sector));
      this.right++;
      done += sector.want.length;
      this.options.onProgress?.("writing", done, total);
    }
  }

  private async writeSector({ at, want }: Sector): Promise<void> {
    const { chip } = this;
    if (chip.erase) await chip.erase(at);
    if (!chip.erase || want.some((b) => b !== 0xff)) await chip.program(at, want);
    const there = await chip.read(at, want.length);
    const differs = want.findIndex((b, i) => b !== there[i]);
    if (differs >= 0)
      throw new SkintError(
        "flash.verify",
        `${this.line} gave ${hex(there[differs])} back at ${hex(at + differs)}, where ${hex(want[differs])} was written; is the flash worn out?`,
        {
          what: this.line,
          offset: at + differs,
        },
      );
  }

  private async verify(image: Extent, sha256: string): Promise<void> {
    const there = new Uint8Array(image.bytes.length);
    const { sector } = this.chip;
    for (let at = 0; at < there.length; ) {
      const count = Math.min(sector - ((image.start + at) % sector), there.length - at);
      const from = at;
      there.set(await this.patiently(() => this.chip.read(image.start + from, count)), at);
      at += count;
      this.options.onProgress?.("checking", at, there.length);
    }
    const got = this.options.hash(there);
    if (got !== sha256)
      throw new SkintError("flash.verify", `what ${this.line} gives back has the hash ${got.slice(0, 16)}…, the image ${sha256.slice(0, 16)}…; the line damages bytes unseen`, {
        what: this.line,
      });
  }

  private patiently<T>(work: () => Promise<T>): Promise<T> {
    throwIfAborted(this.options.signal, "flashing");
    return patiently(work, () => {
      this.repeats++;
      return this.chip.resync();
    });
  }
}

const equal = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((v, i) => v === b[i]);
