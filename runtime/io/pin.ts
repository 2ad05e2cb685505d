// Which version of a file a server gives: what is compared between two ranges, two tries and two pulls. And what its refusals mean.
import { SkintError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type Answer, shown } from "./http.ts";

/** Which version of a file the stored bytes are of. */
export interface Pin {
  readonly url: string;
  readonly etag?: string;
  readonly lastModified?: string;
  /** Of the whole file; undefined where the server does not say. */
  readonly bytes?: number;
}

/** Whether nothing that both pins state differs. */
export function samePin(a: Pin, b: Pin): boolean {
  const differ = (x: string | number | undefined, y: string | number | undefined) => x !== undefined && y !== undefined && x !== y;
  const tag = (p: Pin) => p.etag?.replace(/^W\//, "");
  // Servers of one fleet disagree about the date of one file, not about its tag.
  const dates = a.etag === undefined || b.etag === undefined;
  return !differ(a.bytes, b.bytes) && !differ(tag(a), tag(b)) && !(dates && differ(a.lastModified, b.lastModified));
}

/** Whether a pin can show that a file of the same length changed. */
export const hasValidator = (p: Pin): boolean => p.etag !== undefined || p.lastModified !== undefined;

/** What an answer states about its file. */
export function pinOf(url: string, { response }: Answer, bytes: number | undefined): Pin {
  const header = (name: string) => response.headers.get(name)?.slice(0, LIMITS.nameLength) || undefined;
  return { url, etag: header("etag"), lastModified: header("last-modified"), bytes };
}

const NEXT: Readonly<Record<number, string>> = {
  401: "it wants a login: set the token it asks for",
  403: "it refuses: check the token and the rights to the file",
  404: "there is no such file: check the name",
  410: "the file was taken away",
  416: "it says the file ends before its beginning: fetch it by hand",
  429: "too many requests: wait a while",
};

export function statusError(url: string, status: number): SkintError {
  return new SkintError(
    "network.status",
    `${shown(url)} was answered with ${status}; ${NEXT[status] ?? (status >= 500 ? "the server has trouble: try later" : "check the address")}`,
    {
      what: shown(url),
    },
  );
}
