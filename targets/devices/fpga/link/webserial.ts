// A line over the browser's Web Serial. The port is the page's: navigator.serial.requestPort(), which a click has to ask for.
import { SkintError } from "../../../../runtime/errors.ts";
import { Arrivals } from "./arrivals.ts";
import type { Line } from "./line.ts";

/** What is used of a SerialPort. */
export interface WebSerialPort {
  open(options: { baudRate: number; bufferSize?: number }): Promise<void>;
  close(): Promise<void>;
  readonly readable: ReadableStream<Uint8Array> | null;
  readonly writable: WritableStream<Uint8Array> | null;
}

/** Throws `device.unavailable` if the port cannot be opened. */
export async function webSerialLine(port: WebSerialPort, baud = 1_000_000, name = "the serial port"): Promise<Line> {
  try {
    await port.open({ baudRate: baud, bufferSize: 4096 });
  } catch (e) {
    throw new SkintError(
      "device.unavailable",
      `${name} cannot be opened (${(e as Error).message}); close the program that has it and plug the board in again`,
      { what: name },
      { cause: e },
    );
  }
  const arrivals = new Arrivals(name);
  const reader = (port.readable as ReadableStream<Uint8Array>).getReader();
  const writer = (port.writable as WritableStream<Uint8Array>).getWriter();
  const listen = async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return arrivals.end("it was closed");
      arrivals.push(value);
    }
  };
  listen().catch((e) => arrivals.end(String((e as Error).message)));
  return {
    name,
    async write(bytes) {
      await writer.write(bytes.slice()).catch((e) => {
        throw arrivals.lost((e as Error).message);
      });
    },
    read: (ms) => arrivals.read(ms),
    async close() {
      await reader.cancel().catch(() => undefined);
      reader.releaseLock();
      await writer.close().catch(() => undefined);
      await port.close().catch(() => undefined);
    },
  };
}
