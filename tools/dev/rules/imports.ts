// Rules on who may import whom (ARCHITECTURE.md §1) and on what the host-neutral rooms may touch.
import { posix } from "node:path";
import { code, eachLine, type Finding, type Tree } from "./tree.ts";

interface Room {
  readonly under: string;
  /** Folders it may import from, its own included. */
  readonly may: readonly string[];
  readonly node: boolean;
  readonly packages: boolean;
}

const ROOMS: readonly Room[] = [
  { under: "runtime/", may: ["runtime/"], node: false, packages: true },
  { under: "models/", may: ["models/", "runtime/"], node: false, packages: false },
  { under: "targets/devices/", may: ["targets/devices/", "targets/hosts/host.ts", "runtime/"], node: false, packages: true },
  { under: "targets/flash/", may: ["targets/flash/", "targets/devices/", "runtime/"], node: false, packages: true },
  { under: "targets/hosts/", may: ["targets/", "runtime/"], node: true, packages: true },
  { under: "assembly/", may: ["assembly/"], node: false, packages: false },
  { under: "tools/", may: [""], node: true, packages: true },
];

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*|\bimport\.meta\.glob\w*(?:<[^(]*>)?\(\s*\[?\s*)(["'])([^"']+)\1/g;

/** Module names that a text imports, with the line each stands on. */
export function importsOf(text: string): { name: string; line: number }[] {
  return [...text.matchAll(IMPORT)].map((m) => ({ name: m[2], line: text.slice(0, m.index).split("\n").length }));
}

function judge(room: Room, path: string, name: string): string | undefined {
  if (name.startsWith("node:")) return room.node ? undefined : `${room.under} stays host-neutral and may not import ${name}; take it as a parameter from targets/hosts`;
  if (!name.startsWith(".")) return room.packages ? undefined : `${room.under} may not import the package ${name}`;
  const target = posix.join(posix.dirname(path), name);
  if (room.may.some((dir) => target.startsWith(dir))) return undefined;
  return `${room.under} may not import ${target}; it may import ${room.may.join(", ")}`;
}

/** Imports run one way: tools → models → runtime ← targets; assembly stands alone; only tools and test import tools. */
export function importsRunOneWay(tree: Tree): Finding[] {
  return code(tree).flatMap((path) => {
    const room = ROOMS.find((r) => path.startsWith(r.under));
    if (!room || !path.endsWith(".ts")) return [];
    return importsOf(tree.read(path)).flatMap(({ name, line }) => {
      const what = judge(room, path, name);
      return what ? [{ path, line, what }] : [];
    });
  });
}

const HOST_GLOBALS: readonly { name: string; use: RegExp }[] = [
  ...["window", "document", "navigator", "localStorage", "process", "Buffer"].map((name) => ({ name, use: new RegExp(`(?<![\\w$.])${name}\\.`) })),
  ...["fetch", "require", "XMLHttpRequest", "Worker"].map((name) => ({ name, use: new RegExp(`(?<![\\w$.])${name}\\(`) })),
];

const declares = (text: string, name: string) => new RegExp(`\\b(?:const|let|function)\\s+${name}\\b|[(,]\\s*${name}\\??\\s*:`).test(text);

/** runtime/ and models/ run everywhere, so they use no global that only a browser or only Node has. */
export function noHostGlobals(tree: Tree): Finding[] {
  const paths = code(tree).filter((f) => /^(runtime|models)\/.*\.ts$/.test(f));
  return eachLine(tree, paths, (line, path) => {
    const bare = line.replace(/\/\/.*$|^\s*\*.*$|"[^"]*"|`[^`]*`/g, "");
    const hit = HOST_GLOBALS.find((g) => g.use.test(bare) && !declares(tree.read(path), g.name));
    return hit && `${hit.name} exists on some hosts only; take it as a parameter from targets/hosts`;
  });
}
