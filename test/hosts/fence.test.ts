// Chat templates behind the fence: what real ones give, and what hostile ones end in.
import { expect, test } from "vitest";
import { answerEnd, type ChatInput, chatFormat } from "../../runtime/text/template.ts";
import { renderChat } from "../../targets/hosts/node/fence.ts";
import { runTemplateAttack, TEMPLATE_ATTACKS } from "../attacks/template.ts";

const CHATML =
  "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nBe kind.<|im_end|>\n' }}{% endif %}" +
  "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

const talk = (...turns: [string, string][]): ChatInput => ({ messages: turns.map(([role, content]) => ({ role, content })), open: true });

test("ChatML, with and without a system turn", async () => {
  expect(await renderChat(CHATML, talk(["user", "Hi"]))).toBe("<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  expect(await renderChat(CHATML, talk(["system", "S"], ["user", "Hi"], ["assistant", "Yo"], ["user", "?"]))).toBe(
    "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYo<|im_end|>\n<|im_start|>user\n?<|im_end|>\n<|im_start|>assistant\n",
  );
});

test("tools, tokens and dates arrive; blocks take their line ends with them", async () => {
  const template =
    "{{ bos_token }}\n{%- if tools %}\n  {%- for t in tools %}\n[{{ t | tojson }}]\n  {%- endfor %}\n{%- endif %}\n{{- eos_token }}{{ strftime_now('%Y') | length }}";
  const input = { ...talk(["user", "a"]), tools: [{ name: "f", n: 1 }], bosToken: "<s>", eosToken: "</s>" };
  expect(await renderChat(template, input)).toBe('<s>[{"name": "f", "n": 1}]</s>4');
  expect(await renderChat(template, talk(["user", "a"]))).toBe("4");
});

test("the end of an answer is what the template writes behind it", async () => {
  expect(await answerEnd({ template: CHATML, ends: [] }, renderChat)).toBe("<|im_end|>");
  expect(await answerEnd({ template: "{{ messages[0].content }}", ends: [] }, renderChat)).toBe("");
});

test("a format is read from a config, from a list of templates too", () => {
  expect(chatFormat({ chat_template: "x", bos_token: { content: "<s>" }, eos_token: "</s>", eog_token_ids: [3, "4", 5] })).toEqual({
    template: "x",
    bosToken: "<s>",
    eosToken: "</s>",
    ends: [3, 5],
  });
  expect(
    chatFormat({
      chat_template: [
        { name: "tool_use", template: "t" },
        { name: "default", template: "d" },
      ],
    })?.template,
  ).toBe("d");
  for (const none of [null, undefined, {}, { chat_template: 5 }, { chat_template: [] }, { chat_template: [null] }, { chat_template: "" }]) expect(chatFormat(none)).toBeUndefined();
});

test.each(Object.keys(TEMPLATE_ATTACKS))("attack: %s", async (name) => {
  expect(await runTemplateAttack(name)).toMatchObject({ ok: true });
});
