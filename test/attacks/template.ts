// Attacks on the fence around chat templates: each ends in text, or in a typed error, within the limits of runtime/text/template.ts.
import { type ErrorCode, SkintError } from "../../runtime/errors.ts";
import type { ChatMessage } from "../../runtime/text/template.ts";
import { renderChat } from "../../targets/hosts/node/fence.ts";
import type { Verdict } from "./run.ts";

export interface TemplateAttack {
  readonly template: string;
  readonly messages?: readonly ChatMessage[];
  /** The code, and a part of the message; or the text that is given. */
  readonly expect: { readonly code: ErrorCode; readonly says: RegExp } | { readonly text: string };
}

const fails = (template: string, says: RegExp): TemplateAttack => ({ template, expect: { code: "model.template", says } });
const gives = (template: string, text: string): TemplateAttack => ({ template, expect: { text } });
const misuse = (messages: unknown, says: RegExp): TemplateAttack => ({ template: "{{ messages[0].role }}", messages: messages as ChatMessage[], expect: { code: "usage", says } });
const STEPS = /more than 250000 steps|runs for more than 1000 ms/;
const GROWN = /more than 1048576 characters|characters, the limit is 1048576|runs for more than 1000 ms/;

export const TEMPLATE_ATTACKS: Readonly<Record<string, TemplateAttack>> = {
  "three nested ranges": fails("{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{{ c }}{% endfor %}{% endfor %}{% endfor %}", STEPS),
  "a range of 10 million": fails("{% for a in range(10000000) %}x{% endfor %}", /a range of 10000000 numbers/),
  "a range of no numbers": fails("{% for a in range('x') %}x{% endfor %}", /whole numbers/),
  "a range with step 0": fails("{{ range(0, 5, 0) }}", /whole numbers/),
  "a recursive macro": fails("{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}", /call stack|steps|not a function/i),
  "two macros that call each other": fails("{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ f() }}", /call stack|steps|not a function/i),
  "a literal of 1 MB": fails(`{{ "${"a".repeat(2 ** 20)}" }}`, /characters, the limit is 65536/),
  "1 MB of plain text": fails("a".repeat(2 ** 20), /characters, the limit is 65536/),
  "brackets 20,000 deep": fails(`{{ ${"(".repeat(20_000)}1${")".repeat(20_000)} }}`, /call stack|steps/i),
  "blocks 3,000 deep": fails(`${"{% if true %}".repeat(3000)}x`, /./),
  "text that doubles 40 times": fails("{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(40) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}", GROWN),
  "100 MB of output": fails(`{% set ns = namespace(s='${"a".repeat(1000)}') %}{% for i in range(100) %}{% for j in range(1000) %}{{ ns.s }}{% endfor %}{% endfor %}`, GROWN),
  "replacement that grows to gigabytes": fails(
    `{% set ns = namespace(s='${"a".repeat(30_000)}') %}{% set t = ns.s | replace('a', ns.s) %}{{ t | length }}`,
    /memory|string length|characters|runs for more/i,
  ),
  "a list that doubles": fails("{% set ns = namespace(l=range(60000)) %}{% for i in range(30) %}{% set ns.l = ns.l + ns.l %}{% endfor %}", /list of more than 65536 items/),
  "raise_exception": fails("{{ raise_exception('only user and assistant') }}", /refuses these messages: only user and assistant/),
  "raise_exception with 60 KB": fails(`{{ raise_exception('${"a".repeat(60_000)}') }}`, /refuses these messages: a{300};/),
  "not closed": fails("{% for m in messages %}{{ m.content", /./),
  "an unknown filter": fails("{{ messages | system_shell }}", /system_shell/),
  "import of a file": fails("{% include '/etc/passwd' %}", /./),
  "empty": gives("", ""),
  "constructor of a text": gives("[{{ ''.constructor }}]", "[]"),
  "constructor of a constructor": fails("{{ ''.constructor.constructor('return process')() }}", /./),
  "class and subclasses": fails("{{ ''.__class__.__mro__[1].__subclasses__() }}", /./),
  "__proto__ of a message": gives("[{{ messages[0].__proto__ }}{{ messages[0].constructor }}]", "[]"),
  "globals of a function": gives("[{{ range.__globals__ }}{{ raise_exception.constructor }}]", "[]"),
  "names of the host": gives("[{{ process }}{{ globalThis }}{{ require }}{{ self }}]", "[]"),
  "no messages": misuse([], /at least one message/),
  "messages that are no list": misuse("hello", /at least one message/),
  "a message without a role": misuse([{ content: "x" }], /message 0 has no role/),
  "a message that is null": misuse([null], /message 0 has no role/),
  "a message without content": misuse([{ role: "user" }], /message 0 has no text/),
  "20,000 messages": misuse(
    Array.from({ length: 20_000 }, () => ({ role: "user", content: "" })),
    /limit of 10000/,
  ),
  "a message of 5 MB": misuse([{ role: "user", content: "a".repeat(5e6) }], /the limit is 4194304/),
  "a message that is a template": {
    template: "{{ messages[0].content }}",
    messages: [{ role: "user", content: "{{ 7 * 7 }}{% raw %}" }],
    expect: { text: "{{ 7 * 7 }}{% raw %}" },
  },
};

/** How an attack ended: undefined is as it must. */
async function wrongEnd({ template, messages, expect }: TemplateAttack): Promise<string | undefined> {
  try {
    const text = await renderChat(template, { messages: messages ?? [{ role: "user", content: "Hi" }], open: true });
    return "text" in expect && text === expect.text ? undefined : `gave ${JSON.stringify(text.slice(0, 100))}`;
  } catch (e) {
    const fits = e instanceof SkintError && "code" in expect && e.code === expect.code && expect.says.test(e.message);
    return fits ? undefined : `ended in ${String(e)}`;
  }
}

export async function runTemplateAttack(name: string): Promise<Verdict> {
  const attack = TEMPLATE_ATTACKS[name];
  const fault = await wrongEnd(attack);
  return { name: `template: ${name}`, ok: fault === undefined, reason: fault ?? ("code" in attack.expect ? attack.expect.code : "accepted") };
}
