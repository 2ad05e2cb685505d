// ESP32s by their maker's own client, npm's esptool-js, which is installed only where it is wanted: it gets our line as a port of Web Serial, loads its
// stub over the boot loader in ROM, and reads and writes the flash through that. Erasing is the writer's: a sector at a time.
import { SkintError } from "../../../runtime/errors.ts";
import type { Line } from "../../devices/fpga/link/line.ts";
import type { Chip, LineProtocol, Region } from "../protocol.ts";
import { esp32Twin } from "../twins/esp32.ts";
import { portOf } from "../webserial.ts";

/** What is used of esptool-js. */
interface Loader {
  readonly chip: { readonly CHIP_NAME: string };
  detectChip(mode: "default_reset"): Promise<void>;
  runStub(): Promise<unknown>;
  sync(): Promise<unknown>;
  flashBegin(size: number, offset: number): Promise<number>;
  flashBlock(data: Uint8Array, seq: number, timeout: number): Promise<void>;
  readFlash(at: number, size: number): Promise<Uint8Array>;
}
interface Module {
  readonly Transport: new (port: unknown, tracing: boolean) => { flushInput(): void };
  readonly ESPLoader: new (options: { transport: unknown; baudrate: number; romBaudrate: number; terminal: object }) => Loader;
}

const SECTOR = 4096;
const WRITING = 3000;
/** ms that the reset is held */
const RESET = 100;
const SILENT = { clean() {}, write() {}, writeLine() {} };

async function loadEsptool(): Promise<Module> {
  const name = "esptool-js";
  return import(name).catch((e) => {
    throw new SkintError("device.unavailable", "the package esptool-js is not installed; run npm install esptool-js, beside skint", { what: name }, { cause: e });
  });
}

export const protocol: LineProtocol = {
  name: "esp32",
  title: "ESP32's boot loader in ROM, by esptool-js",
  kind: "line",
  tried: "esptool-js before our twin of ROM and stub; never a board",
  twin: esp32Twin,
  async connect(line, target) {
    const { ESPLoader, Transport } = await loadEsptool();
    const port = portOf(line);
    const transport = new Transport(port, false);
    const loader = new ESPLoader({ transport, baudrate: target.baud, romBaudrate: target.baud, terminal: SILENT });
    await said(line, "device.unavailable", async () => {
      await loader.detectChip("default_reset");
      await loader.runStub();
    }).catch((e) => {
      port.release();
      throw e;
    });
    const chip = new EspChip(line, loader, () => transport.flushInput(), target.region);
    return Object.assign(chip, { release: port.release });
  },
};

/** What esptool-js throws, as ours. */
async function said<T>(line: Line, code: "device.unavailable" | "device.noisy", work: () => Promise<T>): Promise<T> {
  return work().catch((e: Error) => {
    if (e instanceof SkintError) throw e;
    throw new SkintError(
      code,
      `the chip on ${line.name} does not answer esptool-js as it must (${e.message}); hold BOOT while pressing reset, and check the cable`,
      { what: line.name },
      { cause: e },
    );
  });
}

class EspChip implements Chip {
  readonly sector = SECTOR;
  readonly id: string;

  constructor(
    private readonly line: Line,
    private readonly loader: Loader,
    private readonly flush: () => void,
    readonly region: Region,
  ) {
    this.id = loader.chip.CHIP_NAME;
  }

  async program(at: number, bytes: Uint8Array): Promise<void> {
    const whole = new Uint8Array(SECTOR).fill(0xff);
    whole.set(bytes);
    await this.attempt(async () => {
      await this.loader.flashBegin(SECTOR, at);
      await this.loader.flashBlock(whole, 0, WRITING);
    });
  }

  read(at: number, count: number): Promise<Uint8Array> {
    return this.attempt(() => this.loader.readFlash(at, count));
  }

  async resync(): Promise<void> {
    this.flush();
    await this.attempt(() => this.loader.sync());
  }

  /** By its reset: RTS holds it, DTR would keep it in the boot loader. */
  async boot(): Promise<void> {
    await this.line.signals?.({ dtr: false, rts: true });
    await new Promise((resolve) => setTimeout(resolve, RESET));
    await this.line.signals?.({ dtr: false, rts: false });
  }

  private attempt<T>(work: () => Promise<T>): Promise<T> {
    return said(this.line, "device.noisy", work);
  }
}
