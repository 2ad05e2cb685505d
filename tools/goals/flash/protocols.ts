// Every protocol by our client and, where there is one, by somebody else's: is the image on the chip, byte for byte? A protocol counts where all of its
// clients agree; before each stands the most real thing there is of the other side.
import { mkdtempSync, writeFileSync } from "node:fs";
import type { Extent } from "../../../targets/flash/image/extent.ts";
import type { FileProtocol, LineProtocol, Target } from "../../../targets/flash/protocol.ts";
import { PROTOCOLS } from "../../../targets/flash/protocols/catalogue.gen.ts";
import { TARGETS, targetOf } from "../../../targets/flash/targets.ts";
import { buildLoader, loaderSimulator } from "../../../targets/hosts/node/loader-simulator.ts";
import { lacksSimulator } from "../../../targets/hosts/node/simulator.ts";
import { avrdude, lacksAvr, lacksAvrdude, lacksStm32flash, scratch, startAvr, stm32flash } from "../../../test/flash/peers.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { flashOver, holds, madeUp } from "./cutting.ts";

const BYTES = 12_000;

interface Peer {
  readonly name: string;
  lacks(): string | undefined | Promise<string | undefined>;
  /** @param path of a scratch folder's files */
  equal(target: Target, image: Extent, path: (name: string) => string, signal: AbortSignal): Promise<boolean>;
}

const same = (flash: Uint8Array, { start, bytes }: Extent) => bytes.every((b, i) => b === flash[start + i]);

/** What is more than our twin, by protocol. */
const PEERS: Readonly<Record<string, readonly Peer[]>> = {
  skint: [
    {
      name: "the Verilated loader",
      lacks: () => lacksSimulator("loader"),
      async equal(target, image, path, signal) {
        const sim = loaderSimulator(await buildLoader(target, signal), mkdtempSync(path("sim-")));
        await flashOver(sim.line, PROTOCOLS.skint as LineProtocol, target, image);
        const equal = holds(sim, image);
        await sim.line.close();
        return equal;
      },
    },
  ],
  stk500: [
    {
      name: "optiboot in simavr",
      lacks: lacksAvr,
      async equal(target, image, path) {
        const avr = startAvr(path("ours.bin"));
        await flashOver(avr.line, PROTOCOLS.stk500 as LineProtocol, target, image);
        return same(await avr.end(), image);
      },
    },
    {
      name: "avrdude to the same",
      lacks: lacksAvrdude,
      async equal(_, image, path) {
        writeFileSync(path("avr.bin"), image.bytes);
        return same(await avrdude(path("avr.bin"), path("theirs.bin"), path("avr-line")), image);
      },
    },
  ],
  stm32: [
    {
      name: "stm32flash to our twin",
      lacks: lacksStm32flash,
      async equal(target, image, path) {
        const twin = (PROTOCOLS.stm32 as LineProtocol).twin(target);
        writeFileSync(path("stm32.bin"), image.bytes);
        await stm32flash(path("stm32.bin"), twin, path("stm32-line"));
        return holds(twin, image);
      },
    },
  ],
};

async function ours(target: Target, image: Extent): Promise<boolean> {
  const protocol = PROTOCOLS[target.protocol];
  if (protocol.kind === "line") {
    const twin = protocol.twin(target);
    await flashOver(twin.line, protocol, target, image);
    return holds(twin, image);
  }
  const file: FileProtocol = protocol;
  const back = file.decode(file.encode(image, target), target.name, target);
  return same(back.bytes, { start: image.start - back.start, bytes: image.bytes });
}

/** Protocols of which every client that is here wrote the image. */
export async function equalProtocols({ signal, note }: GoalContext): Promise<Measured> {
  const folder = scratch();
  const told: string[] = [];
  let equal = 0;
  try {
    for (const protocol of Object.values(PROTOCOLS)) {
      const target = [...TARGETS.values()].find((t) => t.protocol === protocol.name);
      if (!target) continue;
      note(`flash.protocols: ${protocol.name} on ${target.name}`);
      const image = madeUp(targetOf(target.name).target, BYTES);
      let right = await ours(target, image);
      const clients = ["our twin"];
      for (const peer of PEERS[protocol.name] ?? []) {
        const why = await peer.lacks();
        clients.push(why ? `not ${peer.name}, as ${why}` : peer.name);
        if (!why) right = (await peer.equal(target, image, folder.path, signal)) && right;
      }
      if (right) equal++;
      told.push(`${protocol.name} (${clients.join(", ")})${right ? "" : " DIFFERS"}`);
    }
  } finally {
    folder.close();
  }
  return { value: equal, note: told.join("; ") };
}
