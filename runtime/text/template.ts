// Chat templates, caller's side: the turns of a talk, the limits of what goes to a template and what comes back, and their checks.
// A template is a program out of a stranger's file: it runs only behind a host's fence (targets/hosts/node/fence.ts), by render.ts.
import { SkintError } from "../errors.ts";

export const TEMPLATE_LIMITS = {
  /** UTF-16 units of a template. */
  template: 64 * 1024,
  /** UTF-16 units of turns and tools, as JSON. */
  input: 4 * 2 ** 20,
  /** UTF-16 units of what it gives, and of any text on the way. */
  output: 2 ** 20,
  messages: 10_000,
  /** Nodes of the template that are evaluated: the same end on every machine. */
  steps: 250_000,
  /** Items of a range or another list on the way. */
  items: 65_536,
  milliseconds: 1000,
  /** Heap of the fence, MB. */
  heap: 96,
} as const;

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
  /** Whatever else the template of the model knows: tool_calls, name, … Plain JSON. */
  readonly [key: string]: unknown;
}

export interface ChatInput {
  readonly messages: readonly ChatMessage[];
  /** Descriptions of tools, as the template wants them. Plain JSON. */
  readonly tools?: readonly unknown[];
  /** Open the model's turn at the end. */
  readonly open: boolean;
  readonly bosToken?: string;
  readonly eosToken?: string;
}

/** A chat format as a model carries it. */
export interface ChatFormat {
  readonly template: string;
  readonly bosToken?: string;
  readonly eosToken?: string;
  /** Ids that end an answer, beside the tokenizer's end of text. */
  readonly ends: readonly number[];
}

export type TemplateRenderer = (template: string, input: ChatInput) => Promise<string>;

export function templateFailure(because: string, cause?: unknown): SkintError {
  return new SkintError(
    "model.template",
    `the chat template of the model cannot be used: ${because}; use skint run, or a model with another template`,
    { what: "chat_template" },
    { cause },
  );
}

const misuse = (because: string, what: string) =>
  new SkintError("usage", `${because}; give messages as { role: "system" | "user" | "assistant" | "tool", content: "text" }`, { what });

/** Checks what goes to a template. Throws `model.template` for the template, `usage` for the turns. */
export function checkChat(template: string, input: ChatInput): void {
  if (template.length > TEMPLATE_LIMITS.template) throw templateFailure(`it has ${template.length} characters, the limit is ${TEMPLATE_LIMITS.template}`);
  const { messages } = input;
  if (!Array.isArray(messages) || messages.length === 0) throw misuse("a talk needs at least one message", "messages");
  if (messages.length > TEMPLATE_LIMITS.messages) throw misuse(`a talk of ${messages.length} messages is beyond the limit of ${TEMPLATE_LIMITS.messages}`, "messages");
  for (const [i, message] of messages.entries()) {
    if (typeof message?.role !== "string" || message.role === "") throw misuse(`message ${i} has no role`, `messages[${i}].role`);
    if (typeof message.content !== "string") throw misuse(`message ${i} has no text as its content`, `messages[${i}].content`);
  }
  const { length } = asJson(input);
  if (length > TEMPLATE_LIMITS.input) throw misuse(`the talk has ${length} characters, the limit is ${TEMPLATE_LIMITS.input}`, "messages");
}

function asJson(input: ChatInput): string {
  try {
    return JSON.stringify(input);
  } catch (cause) {
    throw new SkintError("usage", "messages or tools are not plain JSON; give texts, numbers, lists and objects only", { what: "messages" }, { cause });
  }
}

export interface TokenizerConfig {
  readonly chat_template?: unknown;
  readonly eog_token_ids?: unknown;
  readonly bos_token?: unknown;
  readonly eos_token?: unknown;
}

const textOf = (token: unknown): string | undefined => {
  const content = typeof token === "object" && token !== null ? (token as { content?: unknown }).content : token;
  return typeof content === "string" ? content : undefined;
};

/** A template, or the one named "default" in a list of them. */
function templateOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return undefined;
  const named = value.find((t) => t?.name === "default") ?? value[0];
  return typeof named?.template === "string" ? named.template : undefined;
}

/** The chat format in a tokenizer_config.json; undefined if there is none. */
export function chatFormat(config: TokenizerConfig | null | undefined): ChatFormat | undefined {
  const template = templateOf(config?.chat_template);
  if (!config || !template) return undefined;
  const ids = Array.isArray(config.eog_token_ids) ? config.eog_token_ids : [];
  return { template, bosToken: textOf(config.bos_token), eosToken: textOf(config.eos_token), ends: ids.filter((id) => Number.isSafeInteger(id)) };
}

/** What the template writes behind an answer, up to the next turn: the sign that the answer has ended. */
export async function answerEnd(format: ChatFormat, render: TemplateRenderer): Promise<string> {
  const mark = "skint-answer-0451";
  const messages = [
    { role: "user", content: "a" },
    { role: "assistant", content: mark },
  ];
  const text = await render(format.template, { messages, open: false, bosToken: format.bosToken, eosToken: format.eosToken });
  const at = text.lastIndexOf(mark);
  return at < 0 ? "" : text.slice(at + mark.length).trim();
}
