// Lines over ports: a browser's Web Serial and Node's serialport, against a twin behind a made-up port and the simulator's terminal.
import { spawn } from "node:child_process";
import { describe, expect, test } from "vitest";
import { Arrivals } from "../../../targets/devices/fpga/link/arrivals.ts";
import { Session } from "../../../targets/devices/fpga/link/session.ts";
import { webSerialLine } from "../../../targets/devices/fpga/link/webserial.ts";
import { loadSerialport, serialLine } from "../../../targets/hosts/node/serial.ts";
import { buildSimulator, lacksSimulator } from "../../../targets/hosts/node/simulator.ts";
import { plainTwin } from "./line.ts";

const DATA = Uint8Array.from({ length: 2000 }, (_, i) => (i * 13) & 255);

/** A Web Serial port with a twin behind it, which answers in pieces. */
function fakePort(piece = 7) {
  const twin = plainTwin();
  let out: ReadableStreamDefaultController<Uint8Array> | undefined;
  const opened: number[] = [];
  return {
    opened,
    unplug: () => out?.close(),
    port: {
      readable: new ReadableStream<Uint8Array>({
        start(c) {
          out = c;
        },
      }),
      writable: new WritableStream<Uint8Array>({
        write(bytes) {
          const answer = twin.feed(bytes);
          for (let at = 0; at < answer.length; at += piece) out?.enqueue(answer.slice(at, at + piece));
        },
      }),
      open: async ({ baudRate }: { baudRate: number }) => void opened.push(baudRate),
      close: async () => {},
    },
  };
}

describe("Web Serial", () => {
  test("carries a session", async () => {
    const { port, opened } = fakePort();
    const line = await webSerialLine(port);
    const session = await Session.open(line);
    await session.write("weights", 0, DATA);
    expect(await session.read("weights", 0, DATA.length / 8)).toEqual(DATA);
    expect(opened).toEqual([1_000_000]);
    await line.close();
  });

  test("a port that is unplugged is lost, one that does not open is not available", async () => {
    const { port, unplug } = fakePort();
    const session = await Session.open(await webSerialLine(port));
    unplug();
    await expect(session.write("weights", 0, DATA)).rejects.toMatchObject({ code: "device.lost" });
    const shut = {
      ...fakePort().port,
      open: async () => {
        throw new Error("busy");
      },
    };
    await expect(webSerialLine(shut)).rejects.toMatchObject({ code: "device.unavailable", message: expect.stringContaining("busy") });
  });
});

describe("arrivals", () => {
  test("wait for the first byte, no longer than they may", async () => {
    const arrivals = new Arrivals("a");
    expect(await arrivals.read(1)).toHaveLength(0);
    const coming = arrivals.read(60_000);
    arrivals.push(Uint8Array.of(1, 2));
    expect(await coming).toEqual(Uint8Array.of(1, 2));
  });
});

describe("serialport", () => {
  test("talks to the simulator's terminal", async ({ skip }) => {
    if (!(await loadSerialport())) skip("the package serialport is not installed");
    const why = await lacksSimulator();
    if (why) skip(why);
    const child = spawn(await buildSimulator(), ["--pty"], { stdio: ["pipe", "pipe", "inherit"] });
    try {
      const path = await new Promise<string>((resolve) => child.stdout.once("data", (d) => resolve(String(d).trim())));
      const line = await serialLine(path, 1_000_000);
      const session = await Session.open(line, { patience: 2000 });
      await session.write("weights", 0, DATA);
      expect(await session.read("weights", 0, DATA.length / 8)).toEqual(DATA);
      await line.close();
    } finally {
      child.kill();
    }
  }, 120_000);

  test("a port that is not there is said to be missing", async () => {
    await expect(serialLine("/dev/not-a-port", 9600)).rejects.toMatchObject({
      code: "device.unavailable",
      message: expect.stringMatching(/not-a-port|serialport is not installed/),
    });
  });
});
