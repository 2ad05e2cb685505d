// Amounts as people read them.

/** Decimal units, three digits: 999 B, 1.23 MB. */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let v = n;
  let u = 0;
  for (; v >= 999.5 && u < units.length - 1; u++) v /= 1000;
  return `${u === 0 || v >= 99.95 ? v.toFixed(0) : v.toPrecision(3)} ${units[u]}`;
}

const POWERS: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9 };

/** Bytes of a text as `bytes` writes it: 60MB, 1.5 GB, 4096. Undefined for any other. */
export function parseBytes(text: string): number | undefined {
  const m = /^(\d+(?:\.\d+)?)\s*([kmg]?)b?$/i.exec(text.trim());
  return m ? Math.floor(Number(m[1]) * POWERS[m[2].toLowerCase()]) : undefined;
}

/** 0:09, 12:34, 1:02:03. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const two = (v: number) => String(v).padStart(2, "0");
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}
