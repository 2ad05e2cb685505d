// `skint flash build` for an MCU: its agent, made by the system's compiler, as the bytes of its flash or as the linker's ELF file.
import { copyFileSync, mkdirSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { MCUS } from "../../targets/devices/mcu/catalogue.gen.ts";
import { buildAgent } from "../../targets/hosts/node/agents/build.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import type { Context } from "../cli/context.ts";
import { table } from "../cli/table.ts";

/** Makes the agent of the MCU of that name and writes it to `file`: with the ending .elf as ELF, else from its first byte of flash on. Throws what buildAgent throws. */
export async function writeAgent(name: string, file: string, context: Context): Promise<void> {
  const mcu = MCUS[name];
  const progress = context.progress(`making ${file}`, "steps", 1);
  try {
    const agent = await buildAgent(name, mcu, context.signal);
    mkdirSync(dirname(file), { recursive: true });
    copyFileSync(file.endsWith(".elf") ? agent.elf : agent.file, `${file}.part`);
    renameSync(`${file}.part`, file);
    const hasher = sha256();
    hasher.update(agent.bytes);
    const { code, ram, base, build } = agent;
    const answer = { board: name, file, bytes: agent.bytes.length, base, uses: { code, ram }, sha256: hasher.digest(), build };
    context.answer(answer, () => {
      const rows = [
        ["bytes of code and constants", String(code), String(mcu.room.code)],
        ["bytes of RAM beside the stack", String(ram), String(mcu.room.ram)],
      ];
      const head = [mcu.title, "", table(["", "uses", "room"], rows, { right: [1, 2] })];
      return [...head, "", `${file}: ${agent.bytes.length} bytes from address 0x${base.toString(16)}`, `sha256 ${answer.sha256}`, `build ${build}`].join("\n");
    });
  } finally {
    progress.end();
  }
}
