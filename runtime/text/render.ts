// Chat templates, inside the fence: the interpreter of @huggingface/jinja with a count of steps and a limit on every text.
// It sees plain JSON and the names below, nothing of the host. What it cannot count (one filter on one text) is the fence's to end.
import { Environment, Interpreter, Template } from "@huggingface/jinja";
import { type ChatInput, TEMPLATE_LIMITS } from "./template.ts";

class Metered extends Interpreter {
  private steps = 0;

  override evaluate(...[statement, environment]: Parameters<Interpreter["evaluate"]>): ReturnType<Interpreter["evaluate"]> {
    if (++this.steps > TEMPLATE_LIMITS.steps) throw new Error(`it takes more than ${TEMPLATE_LIMITS.steps} steps`);
    const value = super.evaluate(statement, environment);
    if (Array.isArray(value.value) && value.value.length > TEMPLATE_LIMITS.items) throw new Error(`it makes a list of more than ${TEMPLATE_LIMITS.items} items`);
    if (typeof value.value === "string" && value.value.length > TEMPLATE_LIMITS.output) throw new Error(`it makes a text of more than ${TEMPLATE_LIMITS.output} characters`);
    return value;
  }
}

function range(...bounds: number[]): number[] {
  const [start, stop, step] = bounds.length === 1 ? [0, bounds[0], 1] : [bounds[0], bounds[1], bounds[2] ?? 1];
  if (![start, stop, step].every(Number.isSafeInteger) || step === 0) throw new Error("a range needs whole numbers");
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (count > TEMPLATE_LIMITS.items) throw new Error(`it asks for a range of ${count} numbers, the limit is ${TEMPLATE_LIMITS.items}`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}

const two = (n: number) => String(n).padStart(2, "0");
const named = (now: Date, part: Intl.DateTimeFormatOptions) => now.toLocaleDateString("en-US", part);

const DATE: Readonly<Record<string, (now: Date) => string>> = {
  Y: (d) => String(d.getFullYear()),
  m: (d) => two(d.getMonth() + 1),
  d: (d) => two(d.getDate()),
  H: (d) => two(d.getHours()),
  M: (d) => two(d.getMinutes()),
  S: (d) => two(d.getSeconds()),
  b: (d) => named(d, { month: "short" }),
  B: (d) => named(d, { month: "long" }),
  a: (d) => named(d, { weekday: "short" }),
  A: (d) => named(d, { weekday: "long" }),
};

const dated = (format: string, now: Date) => String(format).replace(/%([YmdHMSbBaA])/g, (_, key: string) => DATE[key](now));

/** Renders a checked template; throws plain errors. To be called inside a fence only. */
export function renderTemplate(template: string, { messages, tools, open, bosToken, eosToken }: ChatInput, now: Date): string {
  const scope = new Environment();
  const names: Record<string, unknown> = {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    range,
    strftime_now: (format: string) => dated(format, now),
    raise_exception: (message: unknown) => {
      throw new Error(`it refuses these messages: ${String(message).slice(0, 300)}`);
    },
    messages,
    tools: tools ?? null,
    add_generation_prompt: open,
    bos_token: bosToken ?? "",
    eos_token: eosToken ?? "",
  };
  for (const [name, value] of Object.entries(names)) scope.set(name, value);
  const { value } = new Metered(scope).run(new Template(template).parsed);
  return String(value);
}
