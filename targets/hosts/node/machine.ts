// What a machine says about itself on Node: processor, clock governor, memory, system, engine, heat and power. It only reads.
// Files are read below `root`, "/" unless a test gives a folder that looks like one; what cannot be read is null, never a guess.
// Units: bytes, MHz, °C, watts. Power rails: INA3221 monitors of Jetson boards (hwmon from JetPack 5, IIO in JetPack 4).
import { readdirSync, readFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import type { EngineSummary, MachineSummary } from "../../../runtime/stats/record.ts";

export interface MachineReport extends MachineSummary {
  /** Available now; null if unknown. */
  readonly memoryFreeBytes: number | null;
  /** Clock of each core now, MHz; null if unreadable, as in most virtual machines. */
  readonly megahertz: readonly number[] | null;
  /** Runnable tasks averaged over 1, 5 and 15 minutes; null if unknown. */
  readonly load: readonly [number, number, number] | null;
  readonly engine: EngineSummary;
  readonly temperatures: readonly Temperature[] | null;
  readonly power: PowerReading | null;
}

export interface Temperature {
  readonly zone: string;
  readonly celsius: number;
}

export interface Rail {
  readonly name: string;
  readonly watts: number;
}

export interface PowerReading {
  readonly rails: readonly Rail[];
  /** Power of the module, without the losses of its carrier board; null if no rail or sum of rails is known to be that. */
  readonly total: { readonly watts: number; readonly of: string; readonly estimated: boolean } | null;
}

function read(...path: string[]): string | null {
  try {
    // NUL ends the texts of a device tree
    return readFileSync(join(...path), "utf8")
      .replaceAll("\0", "")
      .trim();
  } catch {
    return null;
  }
}

function list(...path: string[]): string[] {
  try {
    return readdirSync(join(...path)).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  } catch {
    return [];
  }
}

/** First number of a file; some drivers append a unit. */
function readNumber(...path: string[]): number | null {
  const match = read(...path)?.match(/^-?\d+(?:\.\d+)?/);
  return match ? Number(match[0]) : null;
}

const isHere = (root: string) => root === "/";

function line(file: string | null, key: string): string | undefined {
  return file?.match(new RegExp(`^${key}\\s*[:=]\\s*"?([^"\\n]*)`, "m"))?.[1].trim();
}

function processor(root: string): { cpu: string; cores: number } {
  const info = read(root, "proc/cpuinfo");
  const counted = info?.match(/^processor\s*:/gm)?.length;
  const here = isHere(root) ? os.cpus() : [];
  const part = line(info, "CPU part");
  const name = line(info, "model name") || line(info, "Model") || here[0]?.model.trim() || (part ? `ARM part ${part}` : "");
  return { cpu: name && name !== "unknown" ? name : part ? `ARM part ${part}` : "unknown processor", cores: counted ?? here.length };
}

function memory(root: string): { total: number; free: number | null } {
  const info = read(root, "proc/meminfo");
  const kilobytes = (key: string) => {
    const value = line(info, key)?.match(/^\d+/);
    return value ? Number(value[0]) * 1024 : null;
  };
  return { total: kilobytes("MemTotal") ?? (isHere(root) ? os.totalmem() : 0), free: kilobytes("MemAvailable") ?? (isHere(root) ? os.freemem() : null) };
}

function system(root: string): string {
  const name = line(read(root, "etc/os-release"), "PRETTY_NAME");
  const kernel = read(root, "proc/sys/kernel/osrelease") ?? (isHere(root) ? os.release() : null);
  return [name ?? (isHere(root) ? os.type() : "unknown system"), kernel].filter(Boolean).join(", ");
}

/** Folders of the clocks of the cores. */
function clocks(root: string): string[] {
  const cpus = join(root, "sys/devices/system/cpu");
  return list(cpus)
    .filter((name) => /^cpu\d+$/.test(name))
    .map((name) => join(cpus, name, "cpufreq"));
}

/** Clock of each core now, MHz; null where it cannot be read. */
export function readMegahertz(root = "/"): number[] | null {
  const all = clocks(root).map((folder) => readNumber(folder, "scaling_cur_freq"));
  const known = all.filter((v) => v !== null).map((kilohertz) => kilohertz / 1000);
  return known.length > 0 ? known : null;
}

/** Readable thermal zones; null if there are none. A zone that is switched off is left out. */
export function readTemperatures(root = "/"): Temperature[] | null {
  const folder = join(root, "sys/class/thermal");
  const zones = list(folder)
    .filter((name) => name.startsWith("thermal_zone"))
    .flatMap((name) => {
      const milli = readNumber(folder, name, "temp");
      const zone = (read(folder, name, "type") ?? name).replace(/[-_]therm(?:al)?$/, "");
      return milli === null ? [] : [{ zone, celsius: milli / 1000 }];
    });
  return zones.length > 0 ? zones : null;
}

/** Rails of one hwmon folder (JetPack 5 and later): in<N>_label, in<N>_input mV, curr<N>_input mA. Channel 7 sums shunt voltages and is none. */
function hwmonRails(folder: string): Rail[] {
  return [1, 2, 3].flatMap((n) => {
    const name = read(folder, `in${n}_label`);
    const millivolts = readNumber(folder, `in${n}_input`);
    const milliamperes = readNumber(folder, `curr${n}_input`);
    return name === null || /\bNC\b/.test(name) || millivolts === null || milliamperes === null ? [] : [{ name, watts: (millivolts * milliamperes) / 1e6 }];
  });
}

/** Rails of one IIO folder (JetPack 4): rail_name_<N>, in_power<N>_input mW. */
function iioRails(folder: string): Rail[] {
  return [0, 1, 2].flatMap((n) => {
    const name = read(folder, `rail_name_${n}`);
    const milliwatts = readNumber(folder, `in_power${n}_input`);
    return name === null || /\bNC\b/.test(name) || milliwatts === null ? [] : [{ name, watts: milliwatts / 1000 }];
  });
}

/** Rails that feed the whole module, and, where a board has none (AGX Orin), the rails that together come close. */
const TOTAL_RAILS = ["VDD_IN", "POM_5V_IN"];
const PARTIAL_RAILS = ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"];

function totalOf(rails: readonly Rail[]): PowerReading["total"] {
  const whole = rails.find((rail) => TOTAL_RAILS.includes(rail.name));
  if (whole) return { watts: whole.watts, of: whole.name, estimated: false };
  const parts = PARTIAL_RAILS.map((name) => rails.find((rail) => rail.name === name));
  if (!parts.every((rail) => rail !== undefined)) return null;
  return { watts: parts.reduce((sum, rail) => sum + rail.watts, 0), of: PARTIAL_RAILS.join(" + "), estimated: true };
}

/** Power now, from the board's own monitors; null if there are none. */
export function readPower(root = "/"): PowerReading | null {
  const devices = join(root, "sys/bus/i2c/devices");
  const monitors = list(devices).filter((name) => read(devices, name, "name")?.startsWith("ina3221"));
  const rails = monitors.flatMap((name) => {
    const folder = join(devices, name);
    const hwmon = list(folder, "hwmon").flatMap((sub) => hwmonRails(join(folder, "hwmon", sub)));
    const iio = list(folder).filter((sub) => sub.startsWith("iio:device"));
    return hwmon.length > 0 ? hwmon : iio.flatMap((sub) => iioRails(join(folder, sub)));
  });
  return rails.length > 0 ? { rails, total: totalOf(rails) } : null;
}

function readLoad(root: string): [number, number, number] | null {
  const match = read(root, "proc/loadavg")?.match(/^(\S+) (\S+) (\S+)/);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : null;
}

/** The engine this program runs in. */
export function readEngine(): EngineSummary {
  return { name: "Node", version: process.versions.node, core: `V8 ${process.versions.v8}` };
}

/** Largest resident size this process ever had, bytes; its worker threads included. */
export function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1024;
}

/** Everything at once, as it is now. */
export function readMachine(root = "/"): MachineReport {
  const { total, free } = memory(root);
  const maxima = clocks(root).flatMap((folder) => readNumber(folder, "scaling_max_freq") ?? []);
  return {
    ...processor(root),
    memoryBytes: total,
    memoryFreeBytes: free,
    os: system(root),
    arch: process.arch,
    board: read(root, "proc/device-tree/model") ?? undefined,
    governor:
      clocks(root)
        .map((folder) => read(folder, "scaling_governor"))
        .find((name) => name !== null) ?? undefined,
    maxMegahertz: maxima.length > 0 ? Math.max(...maxima) / 1000 : undefined,
    megahertz: readMegahertz(root),
    load: readLoad(root),
    engine: readEngine(),
    temperatures: readTemperatures(root),
    power: readPower(root),
  };
}

/** The part of a report that goes into a result record. */
export function summariseMachine({ cpu, cores, memoryBytes, os: system, arch, board, governor, maxMegahertz }: MachineReport): MachineSummary {
  return { cpu, cores, memoryBytes, os: system, arch, board, governor, maxMegahertz };
}
