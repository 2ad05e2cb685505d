// Bytes that come by themselves, kept until somebody reads them: what lines over real ports are made of.
import { SkintError } from "../../../../runtime/errors.ts";

/** More than this is not kept: no session leaves so much unread, and what is lost is asked for again. */
const MOST = 1 << 20;

/** One array of many. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}

export class Arrivals {
  private parts: Uint8Array[] = [];
  private held = 0;
  private wake: (() => void) | undefined;
  private why: string | undefined;

  /** @param name of the line, for messages */
  constructor(private readonly name: string) {}

  push(bytes: Uint8Array): void {
    if (this.held + bytes.length > MOST) return;
    this.parts.push(bytes.slice());
    this.held += bytes.length;
    this.wake?.();
  }

  /** Nothing more will come. */
  end(why: string): void {
    this.why ??= why;
    this.wake?.();
  }

  /** The error of a line that is gone. */
  lost(why: string): SkintError {
    this.end(why);
    return new SkintError("device.lost", `${this.name} is gone (${this.why}); plug the board in and run the command again`, { what: this.name });
  }

  /** As Line.read. Throws `device.lost` once the line is gone and all is read. */
  async read(ms: number): Promise<Uint8Array> {
    if (this.held === 0 && this.why === undefined && ms > 0)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    this.wake = undefined;
    if (this.held === 0 && this.why !== undefined) throw this.lost(this.why);
    const all = joined(this.parts);
    this.parts = [];
    this.held = 0;
    return all;
  }
}
