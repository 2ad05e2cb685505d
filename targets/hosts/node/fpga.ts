// The FPGA device as programs in Node use it: over a serial port, or over the simulator.
export * from "../../devices/fpga/index.ts";
export { serialLine } from "./serial.ts";
export { buildSimulator, lacksSimulator, simulatorLine } from "./simulator.ts";
