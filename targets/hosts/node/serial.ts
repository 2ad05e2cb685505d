// A line over a serial port, by the package serialport, which is installed only where it is wanted.
import { SkintError } from "../../../runtime/errors.ts";
import { Arrivals } from "../../devices/fpga/link/arrivals.ts";
import type { Line } from "../../devices/fpga/link/line.ts";

/** What is used of serialport. */
interface Port {
  open(done: (e: Error | null) => void): void;
  close(done: (e: Error | null) => void): void;
  write(bytes: Uint8Array, done: (e: Error | null | undefined) => void): void;
  set(state: { dtr: boolean; rts: boolean }, done: (e: Error | null) => void): void;
  on(event: "data", listener: (bytes: Uint8Array) => void): void;
  on(event: "close" | "error", listener: (e?: Error) => void): void;
}
interface Module {
  readonly SerialPort: new (options: { path: string; baudRate: number; autoOpen: boolean; parity: "none" | "even" }) => Port;
}

const settle = (start: (done: (e: Error | null | undefined) => void) => void) => new Promise<void>((resolve, reject) => start((e) => (e ? reject(e) : resolve())));

/** The package, or undefined where it is not installed. */
export async function loadSerialport(): Promise<Module | undefined> {
  const name = "serialport";
  return import(name).catch(() => undefined);
}

/** Throws `device.unavailable` without the package, or if the port is not there or another program's. */
export async function serialLine(path: string, baud: number, parity: "none" | "even" = "none"): Promise<Line> {
  const module = await loadSerialport();
  if (!module) throw new SkintError("device.unavailable", "the package serialport is not installed; run npm install serialport, beside skint", { what: "serialport" });
  const port = new module.SerialPort({ path, baudRate: baud, autoOpen: false, parity });
  const arrivals = new Arrivals(path);
  port.on("data", (bytes) => arrivals.push(bytes));
  port.on("close", (e) => arrivals.end(e?.message ?? "it was closed"));
  port.on("error", (e) => arrivals.end(e?.message ?? "it failed"));
  await settle((done) => port.open(done)).catch((e: Error) => {
    throw new SkintError(
      "device.unavailable",
      `${path} cannot be opened (${e.message}); is the board plugged in, may you use it (group dialout), has another program got it?`,
      { what: path },
      { cause: e },
    );
  });
  return {
    name: path,
    async write(bytes) {
      await settle((done) => port.write(bytes, done)).catch((e: Error) => {
        throw arrivals.lost(e.message);
      });
    },
    read: (ms) => arrivals.read(ms),
    // A pseudo terminal has no such lines, and a board without them is reset by hand.
    signals: (state) => settle((done) => port.set(state, done)).catch(() => undefined),
    close: () => settle((done) => port.close(done)).catch(() => undefined),
  };
}
