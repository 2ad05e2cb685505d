// The library's door as scripts of the page see it, for the types of functions that run there.
import type * as Door from "../../targets/hosts/browser/index.ts";

declare global {
  const skint: typeof Door;
}
