// A talk with a model: its turns, written as the model's chat template wants them, and how an answer ends.
import { SkintError } from "../../runtime/errors.ts";
import type { Model } from "../../runtime/session/model.ts";
import { answerEnd, type ChatFormat, type ChatMessage } from "../../runtime/text/template.ts";
import type { Tokenizer } from "../../runtime/text/tokenizer.ts";
import { renderChat } from "../../targets/hosts/node/fence.ts";

export interface Talk {
  readonly messages: ChatMessage[];
  /** Ids and texts that end an answer, beside the end of text. */
  readonly ends: readonly number[];
  readonly stop: readonly string[];
  /** Token ids of the whole talk, with the model's turn opened. */
  prompt(): Promise<Uint32Array>;
}

function formatOf({ chat, tokenizer, name }: Model): { chat: ChatFormat; tokenizer: Tokenizer } {
  if (chat && tokenizer) return { chat, tokenizer };
  throw new SkintError("model.template", `${name} carries no chat template: it continues texts and was not taught to answer; use skint run ${name} "…"`, { what: "chat_template" });
}

/** A special token behind an answer ends it by its id; any other text ends it as a stop text. */
function ending(text: string, tokenizer: Tokenizer): { ends: number[]; stop: string[] } {
  const first = text === "" ? undefined : tokenizer.encode(text)[0];
  if (first === undefined) return { ends: [], stop: [] };
  return tokenizer.isSpecial(first) ? { ends: [first], stop: [] } : { ends: [], stop: [text] };
}

export interface Opening {
  readonly system?: string;
  /** Descriptions of tools, as the template wants them. */
  readonly tools?: readonly unknown[];
}

/** Starts a talk; throws `model.template` if the model has no template, or an unusable one. */
export async function startTalk(model: Model, { system, tools }: Opening): Promise<Talk> {
  const { chat, tokenizer } = formatOf(model);
  const messages: ChatMessage[] = system === undefined ? [] : [{ role: "system", content: system }];
  const { ends, stop } = ending(await answerEnd(chat, renderChat), tokenizer);
  return {
    messages,
    ends: [...chat.ends, ...ends],
    stop,
    async prompt() {
      const text = await renderChat(chat.template, { messages, tools, open: true, bosToken: chat.bosToken, eosToken: chat.eosToken });
      const ids = tokenizer.encode(text);
      const opened = model.bos.every((id, i) => ids[i] === id);
      return Uint32Array.from(opened ? ids : [...model.bos, ...ids]);
    },
  };
}
