// The machine report on Node, read from folders that look like a Jetson with JetPack 6, one with JetPack 4, an AGX Orin, a virtual machine, nothing.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { validateRecord } from "../../runtime/stats/record.ts";
import { peakMemory, readEngine, readMachine, readMegahertz, readPower, readTemperatures, summariseMachine } from "../../targets/hosts/node/machine.ts";
import { sampleRecord } from "../support/record.ts";

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true });
});

/** A root folder with these files. */
function root(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "skint-machine-"));
  made.push(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const INA = "sys/bus/i2c/devices/1-0040";

const orinNano = () =>
  root({
    "proc/cpuinfo": "processor\t: 0\nCPU part\t: 0xd42\n\nprocessor\t: 1\nCPU part\t: 0xd42\n",
    "proc/meminfo": "MemTotal:        7802984 kB\nMemFree:         1000 kB\nMemAvailable:    5000000 kB\n",
    "proc/loadavg": "0.52 0.58 0.59 1/512 12345\n",
    "proc/device-tree/model": "NVIDIA Jetson Orin Nano Developer Kit\0",
    "proc/sys/kernel/osrelease": "5.15.136-tegra\n",
    "etc/os-release": 'NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 22.04.4 LTS"\n',
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "schedutil\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1190400\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq": "1510400\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "729600\n",
    "sys/devices/system/cpu/cpufreq/boost": "0\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "48656\n",
    "sys/class/thermal/thermal_zone10/type": "tj-thermal\n",
    "sys/class/thermal/thermal_zone10/temp": "51000\n",
    "sys/class/thermal/thermal_zone2/type": "cv0-thermal\n", // switched off: no temperature
    "sys/bus/i2c/devices/0-0050/name": "24c02\n",
    [`${INA}/name`]: "ina3221\n",
    [`${INA}/hwmon/hwmon1/in1_label`]: "VDD_IN\n",
    [`${INA}/hwmon/hwmon1/in1_input`]: "5000\n",
    [`${INA}/hwmon/hwmon1/curr1_input`]: "900 mA\n",
    [`${INA}/hwmon/hwmon1/in2_label`]: "VDD_CPU_GPU_CV\n",
    [`${INA}/hwmon/hwmon1/in2_input`]: "5000\n",
    [`${INA}/hwmon/hwmon1/curr2_input`]: "200\n",
    [`${INA}/hwmon/hwmon1/in3_label`]: "NC\n",
    [`${INA}/hwmon/hwmon1/in3_input`]: "5000\n",
    [`${INA}/hwmon/hwmon1/curr3_input`]: "1\n",
    [`${INA}/hwmon/hwmon1/in7_label`]: "sum of shunt voltages\n",
    [`${INA}/hwmon/hwmon1/in7_input`]: "12\n",
  });

test("a Jetson with JetPack 6", () => {
  const machine = readMachine(orinNano());
  expect(machine).toMatchObject({
    cpu: "ARM part 0xd42",
    cores: 2,
    memoryBytes: 7802984 * 1024,
    memoryFreeBytes: 5000000 * 1024,
    os: "Ubuntu 22.04.4 LTS, 5.15.136-tegra",
    board: "NVIDIA Jetson Orin Nano Developer Kit",
    governor: "schedutil",
    maxMegahertz: 1510.4,
    megahertz: [1190.4, 729.6],
    load: [0.52, 0.58, 0.59],
    temperatures: [
      { zone: "cpu", celsius: 48.656 },
      { zone: "tj", celsius: 51 },
    ],
    power: {
      rails: [
        { name: "VDD_IN", watts: 4.5 },
        { name: "VDD_CPU_GPU_CV", watts: 1 },
      ],
      total: { watts: 4.5, of: "VDD_IN", estimated: false },
    },
  });
});

test("a Jetson Nano with JetPack 4 gives power in milliwatts", () => {
  const iio = "sys/bus/i2c/devices/6-0040/iio:device0";
  const power = readPower(
    root({
      "sys/bus/i2c/devices/6-0040/name": "ina3221x\n",
      [`${iio}/rail_name_0`]: "POM_5V_IN\n",
      [`${iio}/in_power0_input`]: "1750\n",
      [`${iio}/rail_name_1`]: "POM_5V_GPU\n",
      [`${iio}/in_power1_input`]: "0\n",
    }),
  );
  expect(power).toEqual({
    rails: [
      { name: "POM_5V_IN", watts: 1.75 },
      { name: "POM_5V_GPU", watts: 0 },
    ],
    total: { watts: 1.75, of: "POM_5V_IN", estimated: false },
  });
});

test("an AGX Orin has no rail for everything: the sum is called an estimate", () => {
  const files: Record<string, string> = { [`${INA}/name`]: "ina3221\n" };
  ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"].forEach((name, i) => {
    files[`${INA}/hwmon/hwmon3/in${i + 1}_label`] = name;
    files[`${INA}/hwmon/hwmon3/in${i + 1}_input`] = "10000";
    files[`${INA}/hwmon/hwmon3/curr${i + 1}_input`] = "100";
  });
  expect(readPower(root(files))?.total).toEqual({ watts: 3, of: "VDD_GPU_SOC + VDD_CPU_CV + VIN_SYS_5V0", estimated: true });
});

test("rails that are not known to feed everything have no total", () => {
  const power = readPower(
    root({ [`${INA}/name`]: "ina3221", [`${INA}/hwmon/hwmon0/in1_label`]: "VDD_NEW", [`${INA}/hwmon/hwmon0/in1_input`]: "5000", [`${INA}/hwmon/hwmon0/curr1_input`]: "100" }),
  );
  expect(power).toEqual({ rails: [{ name: "VDD_NEW", watts: 0.5 }], total: null });
});

test("a machine without clocks, zones and rails says null, not zero", () => {
  const machine = readMachine(root({ "proc/cpuinfo": "processor\t: 0\nmodel name\t: AMD EPYC\n" }));
  expect(machine).toMatchObject({ cpu: "AMD EPYC", cores: 1, governor: undefined, megahertz: null, load: null, temperatures: null, power: null, memoryFreeBytes: null });
});

test("an empty root gives a report all the same", () => {
  const empty = root({});
  expect(readMachine(empty)).toMatchObject({ cpu: "unknown processor", cores: 0, os: "unknown system" });
  expect([readPower(empty), readTemperatures(empty), readMegahertz(empty)]).toEqual([null, null, null]);
});

test("this machine: a processor, memory, an engine, and a peak that holds what is there now", () => {
  const machine = readMachine();
  expect(machine.cores).toBeGreaterThan(0);
  expect(machine.memoryBytes).toBeGreaterThan(2 ** 26);
  expect(readEngine()).toEqual({ name: "Node", version: process.versions.node, core: `V8 ${process.versions.v8}` });
  expect(peakMemory()).toBeGreaterThanOrEqual(process.memoryUsage().rss * 0.5);
});

test("the summary fits a result record", () => {
  const record = sampleRecord({ machine: summariseMachine(readMachine(orinNano())), engine: readEngine() });
  expect(validateRecord(JSON.parse(JSON.stringify(record))).machine).toEqual(record.machine);
});
