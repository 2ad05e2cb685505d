// `https://…`: a file from a server.
import { hasValidator, samePin } from "../../runtime/io/pin.ts";
import { probe } from "../../runtime/io/transfer.ts";
import { type Cached, isPlainName } from "../../targets/hosts/node/cache.ts";
import { type Found, fetchFile, network, type Puller } from "./fetch.ts";
import type { WebSpec } from "./spec.ts";

/** The last part of the address, if it can be a file's name. */
function fileName(url: string): string {
  const last = new URL(url).pathname.split("/").at(-1) ?? "";
  try {
    const name = decodeURIComponent(last);
    return isPlainName(name) ? name : "download";
  } catch {
    return "download";
  }
}

/** Fetches the file, unless the server still gives the version that `cached` is of. */
export async function pullWeb({ url }: WebSpec, puller: Puller, cached: Cached | undefined): Promise<Found> {
  const pin = cached?.files[0].pin;
  if (cached && pin && hasValidator(pin)) {
    const now = await probe(url, network(puller));
    if (hasValidator(now) && samePin(pin, now) && (!puller.sha256 || puller.sha256 === cached.files[0].sha256)) return cached;
  }
  return { files: [await fetchFile(puller, { url, name: fileName(url), sha256: puller.sha256 })] };
}
