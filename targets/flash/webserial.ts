// A line as a port of Web Serial, for programs that want one.
import type { Line } from "../devices/fpga/link/line.ts";

/** What programs use of a SerialPort. */
export interface PortOfLine {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  getInfo(): { usbVendorId?: number; usbProductId?: number };
  open(): Promise<void>;
  close(): Promise<void>;
  /** Lets go of the line, which stays open: it is its owner's. */
  release(): void;
  setSignals(signals: { dataTerminalReady?: boolean; requestToSend?: boolean }): Promise<void>;
}

const LOOK_MS = 20;
const rest = () => new Promise((resolve) => setTimeout(resolve, 1));

export function portOf(line: Line): PortOfLine {
  const state = { dtr: false, rts: false };
  let open = true;
  const readable = new ReadableStream<Uint8Array>({
    async pull(controller) {
      while (open) {
        const bytes = await line.read(LOOK_MS);
        // also when bytes come: a line that never stops talking would keep the program's timers from running
        await rest();
        if (bytes.length) return controller.enqueue(bytes);
      }
      // Not closed: esptool-js prints that its reader ended.
    },
  });
  return {
    readable,
    writable: new WritableStream({ write: (bytes) => line.write(bytes) }),
    getInfo: () => ({}),
    async open() {},
    async close() {},
    release() {
      open = false;
    },
    async setSignals({ dataTerminalReady, requestToSend }) {
      state.dtr = dataTerminalReady ?? state.dtr;
      state.rts = requestToSend ?? state.rts;
      await line.signals?.({ ...state });
    },
  };
}
