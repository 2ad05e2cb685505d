// The fence around chat templates: a process of their own with a small heap and a second to live, ended on overrun.
// Not a worker thread: one allocation beyond a worker's heap limit ends all of Node (a `replace` that makes gigabytes does it).
import { type ChildProcess, fork } from "node:child_process";
import { type ChatInput, checkChat, TEMPLATE_LIMITS, templateFailure } from "../../../runtime/text/template.ts";
import type { Job, Told } from "./fenced.ts";
import { built } from "./host.ts";

/** Time for the process to start, which is not the template's. */
const START_MS = 30_000;

function start(): ChildProcess {
  return fork(built("fence.js"), {
    execArgv: [`--max-old-space-size=${TEMPLATE_LIMITS.heap}`],
    env: {},
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    detached: true, // out of reach of the terminal's Ctrl-C, which is for the answer
  });
}

/** Renders a chat template. Throws `model.template` if it fails, loops or grows, `usage` if the messages are none. */
export async function renderChat(template: string, input: ChatInput): Promise<string> {
  checkChat(template, input);
  const child = start();
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const limit = (ms: number, because: string) => {
        clearTimeout(timer);
        timer = setTimeout(() => reject(templateFailure(because)), ms);
      };
      limit(START_MS, `its process did not start within ${START_MS} ms`);
      child.on("message", (told: Told) => {
        if (told === "ready") {
          limit(TEMPLATE_LIMITS.milliseconds, `it runs for more than ${TEMPLATE_LIMITS.milliseconds} ms`);
          child.send({ template, input } satisfies Job, (e) => e && reject(templateFailure(e.message, e)));
        } else if ("because" in told) reject(templateFailure(told.because));
        else if (told.text.length > TEMPLATE_LIMITS.output) reject(templateFailure(`it makes ${told.text.length} characters, the limit is ${TEMPLATE_LIMITS.output}`));
        else resolve(told.text);
      });
      child.on("error", (e) => reject(templateFailure(e.message, e)));
      child.on("exit", (code, signal) => reject(templateFailure(`its process ended by itself (${signal ?? code}): it wants more than ${TEMPLATE_LIMITS.heap} MB of memory`)));
    });
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
  }
}
