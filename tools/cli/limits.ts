// Limits of lists of neurons that were measured when a model was loaded (runtime/session/breakeven.ts): kept in the cache folder, by machine, engine, core,
// model, build and lanes, so that the next start need not measure. A file that is not sound counts as none.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Source } from "../../runtime/io/source.ts";
import type { KeptLimits } from "../../runtime/session/model.ts";
import { cacheRoot } from "../../targets/hosts/node/cache.ts";
import { writeAtomic } from "../../targets/hosts/node/partial.ts";
import { keyOf } from "./tuned.ts";

export interface Place {
  readonly engineFlags: boolean;
  readonly build: string;
  readonly lanes: number;
}

function parse(text: string): number | undefined {
  const { limit } = JSON.parse(text) as { limit?: unknown };
  return typeof limit === "number" && limit >= 0 && limit <= 1 ? limit : undefined;
}

/** The limits of the model in `source` on a build and its lanes. Where nothing can be written, each load measures. */
export function keptLimits(source: Source, { engineFlags, build, lanes }: Place): KeptLimits {
  const folder = join(cacheRoot(), "limits");
  const file = async () => join(folder, `${await keyOf(source, engineFlags, ` ${build} ${lanes}`)}.json`);
  return {
    async find() {
      if (!existsSync(folder)) return undefined;
      try {
        return parse(readFileSync(await file(), "utf8"));
      } catch {
        return undefined;
      }
    },
    async keep(limit) {
      try {
        mkdirSync(folder, { recursive: true });
        writeAtomic(await file(), JSON.stringify({ limit }));
      } catch {}
    },
  };
}
