// `npm run parity -- [--json]`: how close our engine is to llama.cpp on the same f32 weights. Exit code 3 where a peer or a file is absent.
import { Command } from "commander";
import { describeFailure, EXIT } from "../../tools/cli/errors.ts";
import { stopSignal } from "../../tools/cli/signals.ts";
import { table } from "../../tools/cli/table.ts";
import { whole } from "../../tools/cli/values.ts";
import { compareWithLlama, MODEL, type Parity, type ParityOptions, TEXT } from "./compare.ts";

function text(p: Parity): string {
  const t = p.tokenizer;
  const rows = [
    [
      "top-1 agreement",
      p.top1.toFixed(5),
      `${p.disagreements.length} of ${p.tokens} differ, by at most ${Math.max(0, ...p.disagreements.map((d) => d.gap)).toPrecision(2)} in the logit`,
    ],
    ["mean |Δ ln p|", p.meanDlogp.toExponential(2), `largest ${p.maxDlogp.toExponential(2)}`],
    ["relative perplexity difference", p.relativePpl.toExponential(2), `${p.perplexity.ours.toFixed(6)} to ${p.perplexity.theirs.toFixed(6)}`],
    ["lines tokenised differently", String(t.different), `of ${t.lines}; as one text ${t.whole ? "equal" : "different"}`],
  ];
  return `${p.model}\n${p.peer}\n${table(["figure", "value", ""], rows, { right: [1] })}`;
}

async function run(): Promise<number> {
  const command = new Command("parity")
    .option("--model <file>", `a GGUF file (default: ${MODEL} from the cache)`)
    .option("--text <file>", "text", TEXT)
    .option("--tokens <n>", "predictions to compare", whole("--tokens", { min: 1 }), 2000)
    .option("--window <n>", "tokens after which both start anew", whole("--window", { min: 2 }), 512)
    .option("--lines <n>", "lines whose token ids are compared", whole("--lines", { min: 0 }), 200)
    .option("--threads <n>", "threads of either engine", whole("--threads", { min: 1, max: 64 }), 1)
    .option("--json", "print JSON")
    .parse();
  const { json, ...options } = command.opts<ParityOptions & { json?: boolean }>();
  const parity = await compareWithLlama({ ...options, signal: stopSignal(), note: (line) => process.stderr.write(`${line}\n`) });
  console.log(json ? JSON.stringify(parity, null, 2) : text(parity));
  return EXIT.ok;
}

const code = await run().catch((error) => {
  const failure = describeFailure(error, "parity");
  process.stderr.write(failure.text);
  return failure.exit;
});
process.stdout.write("", () => process.exit(code));
