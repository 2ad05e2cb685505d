// Body of the fence's process: one chat template, rendered and told. Started and ended by fence.ts.
import { renderTemplate } from "../../../runtime/text/render.ts";
import type { ChatInput } from "../../../runtime/text/template.ts";

export interface Job {
  readonly template: string;
  readonly input: ChatInput;
}

/** "ready" comes first. */
export type Told = "ready" | { readonly text: string } | { readonly because: string };

function render({ template, input }: Job): Told {
  try {
    return { text: renderTemplate(template, input, new Date()) };
  } catch (e) {
    return { because: e instanceof Error ? e.message.slice(0, 1000) : "it threw something that is no error" };
  }
}

process.on("message", (job: Job) => void process.send?.(render(job)));
process.send?.("ready");
