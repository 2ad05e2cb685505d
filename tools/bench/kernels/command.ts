// `skint bench kernels`: how close the kernels of the core come to what this machine can do.
import { SkintError } from "../../../runtime/errors.ts";
import { KERNELS } from "../../../targets/devices/wasm/catalogue.gen.ts";
import { host } from "../../../targets/hosts/node/host.ts";
import type { Context } from "../../cli/context.ts";
import { EXIT } from "../../cli/errors.ts";
import { ISA_OPTION } from "../../cli/model.ts";
import { whole } from "../../cli/values.ts";
import type { Verb } from "../../verb.ts";
import { readRecord } from "../read.ts";
import { compareKernels } from "./compare.ts";
import { type KernelRun, toKernelRecord, toRun, validateKernelRecord } from "./record.ts";
import { formatKernelComparison, formatKernels } from "./report.ts";
import { type RunOptions, sampleKernels } from "./run.ts";
import { SHAPE_NAMES, shapesOf } from "./shapes.ts";

const MAX_LANES = 64;
const isLinear = (kernel: string) => /^gem[vm]_/.test(kernel);

/** Names that a pattern with `*` and `?` means. Throws `usage` if there is none. */
function matching(pattern: string): (kernel: string) => boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  const known = [...new Set<string>(Object.values(KERNELS).flat())].filter(isLinear);
  const test = new RegExp(`^${source}$`);
  if (known.some((k) => test.test(k))) return (kernel) => test.test(kernel);
  throw new SkintError("usage", `--kernel is ${JSON.stringify(pattern)}, which no kernel of a linear step is called; there are ${known.join(", ")}`, { what: "--kernel" });
}

/** `1,2`: thread counts, each once. */
function threadCounts(text: string): number[] {
  return [...new Set(text.split(",").map(whole("--threads", { min: 1, max: MAX_LANES })))];
}

function optionsOf(o: Readonly<Record<string, unknown>>): Pick<RunOptions, "isa" | "states" | "rounds" | "wanted"> {
  const only = (["cold", "hot"] as const).filter((state) => o[state] === true);
  return { isa: o.isa as RunOptions["isa"], states: only.length ? only : ["cold", "hot"], rounds: o.rounds as number, wanted: matching(o.kernel as string) };
}

async function measure(o: Readonly<Record<string, unknown>>, context: Context): Promise<KernelRun[]> {
  const options = optionsOf(o);
  const threads = (o.threads as number[] | undefined) ?? [...new Set([1, host.parallelism])];
  const shapes = o.shape as ReturnType<typeof shapesOf>;
  const runs: KernelRun[] = [];
  for (const shape of shapes)
    for (const lanes of threads) {
      const progress = context.progress(`timing ${shape.name} on ${lanes} ${lanes === 1 ? "thread" : "threads"}`, "rounds");
      try {
        const samples = await sampleKernels({ ...options, shape, threads: lanes, signal: context.signal, onProgress: (done, total) => progress.update(done, total) });
        if (samples) runs.push(toRun(shape, samples));
      } finally {
        progress.end();
      }
    }
  if (runs.length) return runs;
  throw new SkintError(
    "usage",
    `no kernel ${o.kernel} takes ${shapes.map((s) => s.name).join(", ")} so; many tokens are timed --hot only, and a build has one kernel a scheme: see skint doctor`,
  );
}

export const verb: Verb = {
  name: "kernels",
  summary: "measure the kernels of linear steps against the limits of this machine",
  description:
    "Times the kernels that multiply by weights as the product runs them, in turn with what this machine can do at most: read memory, and multiply-add by each instruction. Gives each kernel's share of those limits, then GMAC/s (10⁹ multiply-adds a second, of a sparse matrix as if it were dense) and GB/s of weights, at the 25th percentile of the samples' times with 95 % bootstrap intervals. Cold weights are read from memory (copies of at least 192 MiB in turn), hot ones from a cache. Each kernel's result is compared with the reference first.",
  example:
    "skint bench kernels\nskint bench kernels --kernel 'gemv_q4*' --shape smollm2-135m --threads 1\nskint bench kernels --shape 576x1536 --hot --json > before.json\nskint bench kernels --shape 576x1536 --hot --against before.json",
  options: [
    { flags: "--kernel <pattern>", description: "names of kernels, with * and ?", default: "*" },
    { flags: "--shape <shape>", description: `${SHAPE_NAMES.join(", ")}, NxK or NxKxM (M tokens) (default: 4096)`, parse: shapesOf },
    { ...ISA_OPTION, flags: "--isa, --build <isa>" },
    { flags: "--threads <list>", description: "thread counts, such as 1,2 (default: one and all)", parse: threadCounts },
    { flags: "--cold", description: "weights in memory only" },
    { flags: "--hot", description: "weights in a cache only" },
    { flags: "--rounds <n>", description: "samples of each", default: 40, parse: whole("--rounds", { min: 6, max: 10000 }) },
    { flags: "--against <record>", description: "a record written earlier with --json" },
  ],
  async run({ options: { build, shape, ...options } }, context) {
    const before = options.against === undefined ? undefined : readRecord(options.against, validateKernelRecord);
    const record = toKernelRecord(await measure({ ...options, isa: build, shape: shape ?? shapesOf("4096") }, context));
    context.answer(record, () => (before ? formatKernelComparison(before, record, compareKernels(before, record)) : formatKernels(record)));
    return EXIT.ok;
  },
};
