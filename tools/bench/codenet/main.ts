// `npm run bench:codenet`: images a second that CoDeNet's five configurations are projected to have on each board with its engine, as a Markdown table.
import { CONFIGS, codenet } from "../../../models/codenet/graph.ts";
import { clockOf } from "../../../targets/devices/fpga/board.ts";
import { BOARDS } from "../../../targets/devices/fpga/boards/catalogue.gen.ts";
import { project } from "../../../targets/devices/fpga/codenet/project.ts";
import { CODENET_DEFAULTS } from "../../../targets/devices/fpga/codenet/twin.ts";

/** Bits of a byte on the line: start, eight, stop. */
const BITS = 10;

for (const [name, board] of Object.entries(BOARDS)) {
  if (board.design !== "codenet") continue;
  const { weights, buffer = CODENET_DEFAULTS.buffer, line = CODENET_DEFAULTS.line } = board.memory;
  const mhz = clockOf(board);
  console.log(`${name}: ${mhz} MHz, ${board.baud / 1e6} Mbaud\n`);
  console.log("| configuration | passes | 10⁶ clocks | engine, ms | images/s, engine | MB on the line | line, s | images/s, line too | of the host |");
  console.log("|---|---|---|---|---|---|---|---|---|");
  for (const [config, o] of Object.entries(CONFIGS)) {
    const p = project(codenet(o), { memory: 2 ** weights, buffer: 2 ** buffer, columns: 2 ** line });
    const engine = p.clocks / (1e6 * mhz);
    const onLine = (BITS * p.bytes) / board.baud;
    const share = ((100 * p.hostMacs) / (p.macs + p.hostMacs)).toFixed(1);
    console.log(
      `| ${config} ${o.width}, ${o.side}, ${o.stem} | ${p.passes} | ${(p.clocks / 1e6).toFixed(1)} | ${(1000 * engine).toFixed(0)} | ${(1 / engine).toFixed(2)} | ${(p.bytes / 1e6).toFixed(2)} | ${onLine.toFixed(1)} | ${(1 / (engine + onLine)).toFixed(3)} | ${p.host.length ? `${p.host.join(", ")}: ${share} % of the work` : "nothing"} |`,
    );
  }
}
