// Opens a model in GGUF, whole or in parts.
import { SkintError } from "../../errors.ts";
import type { Folder, Source } from "../../io/source.ts";
import { openParts, splitOf } from "./parts.ts";
import { type GgufFile, openOne } from "./reader.ts";

/** A file, or any part of a split model in the folder that holds all its parts. */
export type GgufPlace = Source | { readonly folder: Folder; readonly file: string };

/** Opens and checks a model. The store owns its sources: `close` closes them. */
export async function openGguf(place: GgufPlace): Promise<GgufFile> {
  if ("folder" in place) return openParts(place.folder, place.file);
  const file = await openOne(place);
  const split = splitOf(file);
  if (split.count > 1)
    throw new SkintError("file.missing", `${place.name} is part ${split.index + 1} of ${split.count} of a model; open it in the folder that holds the other parts`, {
      what: place.name,
    });
  return file;
}
