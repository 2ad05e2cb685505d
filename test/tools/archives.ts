// Makes tar and zip archives, right ones and wrong ones, byte by byte.
import { deflateRawSync } from "node:zlib";

export interface TarFile {
  readonly name: string;
  readonly body?: string | Uint8Array;
  readonly type?: string;
  /** Instead of the body's length. */
  readonly size?: string;
  readonly damage?: (header: Buffer) => void;
}

const bytesOf = (body: string | Uint8Array = "") => Buffer.from(body as string);

function tarEntry({ name, body, type = "0", size, damage }: TarFile): Buffer {
  const content = bytesOf(body);
  const h = Buffer.alloc(512);
  h.write(name, 0, 100);
  h.write("0000644\0", 100);
  h.write(size ?? `${content.length.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  h.write("00000000000\0", 136);
  h.write(type, 156);
  h.write("ustar\x0000", 257, "latin1");
  h.fill(32, 148, 156);
  const sum = h.reduce((a, b) => a + b, 0);
  h.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  damage?.(h);
  return Buffer.concat([h, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

export function tar(files: readonly TarFile[], end = true): Buffer {
  return Buffer.concat([...files.map(tarEntry), Buffer.alloc(end ? 1024 : 0)]);
}

export function pax(records: Record<string, string>): TarFile {
  const line = (k: string, v: string) => {
    const rest = Buffer.byteLength(` ${k}=${v}\n`);
    let n = rest + String(rest).length;
    if (rest + String(n).length !== n) n = rest + String(n).length;
    return `${n} ${k}=${v}\n`;
  };
  return {
    name: "PaxHeader",
    type: "x",
    body: Object.entries(records)
      .map(([k, v]) => line(k, v))
      .join(""),
  };
}

function crc32(bytes: Uint8Array): number {
  let c = ~0;
  for (const b of bytes) {
    c ^= b;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  }
  return ~c >>> 0;
}

export interface ZipFile {
  readonly name: string;
  readonly body: string | Uint8Array;
  readonly stored?: boolean;
  /** Changes the file's own header, and its line in the directory. */
  readonly local?: (header: Buffer) => void;
  readonly central?: (line: Buffer) => void;
}

export function zip(files: readonly ZipFile[], damage?: (end: Buffer) => void): Buffer {
  const parts: Buffer[] = [];
  const lines: Buffer[] = [];
  let at = 0;
  for (const { name, body, stored, local, central } of files) {
    const raw = bytesOf(body);
    const data = stored ? raw : deflateRawSync(raw);
    const title = Buffer.from(name);
    const h = Buffer.alloc(30);
    h.writeUInt32LE(0x04034b50, 0);
    h.writeUInt16LE(stored ? 0 : 8, 8);
    h.writeUInt16LE(title.length, 26);
    const c = Buffer.alloc(46);
    c.writeUInt32LE(0x02014b50, 0);
    c.writeUInt16LE(stored ? 0 : 8, 10);
    c.writeUInt32LE(crc32(raw), 16);
    c.writeUInt32LE(data.length, 20);
    c.writeUInt32LE(raw.length, 24);
    c.writeUInt16LE(title.length, 28);
    c.writeUInt32LE(at, 42);
    local?.(h);
    central?.(c);
    parts.push(h, title, data);
    lines.push(Buffer.concat([c, title]));
    at += 30 + title.length + data.length;
  }
  const directory = Buffer.concat(lines);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  damage?.(end);
  return Buffer.concat([...parts, directory, end]);
}
