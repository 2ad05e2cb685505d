// Bytes in given amounts over a line, for protocols without frames of their own.
import { SkintError, throwIfAborted } from "../../runtime/errors.ts";
import type { Line } from "../devices/fpga/link/line.ts";

/** What a lossy link looks like; anything else is not helped by trying again. */
const LOSSES = ["device.noisy", "device.lost", "device.unavailable", "flash.verify"];
/** Bytes that nobody asked for, after which a line is given up: more than any loader or starting board says. */
const CHATTER = 1 << 16;
/** Losses, one behind the other, before the link is given up. */
const PATIENCE = 6;

/** Does something again after bytes were lost, a few times, once both sides are in step. @param resync throws if that cannot be */
export async function patiently<T>(work: () => Promise<T>, resync: () => Promise<void>): Promise<T> {
  for (let tries = 1; ; tries++)
    try {
      return await work();
    } catch (e) {
      if (!(e instanceof SkintError) || !LOSSES.includes(e.code) || tries >= PATIENCE) throw e;
      await resync().catch(() => {
        throw e;
      });
    }
}

export class Wire {
  private held: number[] = [];

  constructor(
    readonly line: Line,
    private readonly signal?: AbortSignal,
  ) {}

  async send(bytes: ArrayLike<number>): Promise<void> {
    throwIfAborted(this.signal, "talking to the boot loader");
    await this.line.write(Uint8Array.from(bytes));
  }

  /** The next `count` bytes. Throws `device.noisy` if for `ms` none comes. */
  async take(count: number, ms: number): Promise<Uint8Array> {
    while (this.held.length < count) {
      throwIfAborted(this.signal, "talking to the boot loader");
      const bytes = await this.line.read(ms);
      if (bytes.length === 0) throw this.short(count);
      this.held.push(...bytes);
    }
    return Uint8Array.from(this.held.splice(0, count));
  }

  /** Forgets what has come. Throws `device.noisy` if it does not stop coming. */
  async drain(ms = 0): Promise<void> {
    this.held = [];
    for (let gone = 0; gone < CHATTER; ) {
      const { length } = await this.line.read(ms);
      if (length === 0) return;
      gone += length;
      throwIfAborted(this.signal, "talking to the boot loader");
    }
    const { name } = this.line;
    throw new SkintError("device.noisy", `${name} does not stop talking; is something else than a boot loader on it? press reset, and check the baud rate`, { what: name });
  }

  private short(count: number): SkintError {
    const { name } = this.line;
    return new SkintError("device.noisy", `${name} gave ${this.held.length} of ${count} bytes of an answer; check the cable, and that the board waits in its boot loader`, {
      what: name,
    });
  }
}
