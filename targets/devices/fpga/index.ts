// What programs use of the FPGA device: a session over a line, networks that lie on the device, its twin, and signals that come in over such a line.
export type { Line } from "./link/line.ts";
export type { Hello } from "./link/protocol.ts";
export { Session, type SessionOptions, type Traffic } from "./link/session.ts";
export { type SignalOptions, SignalReceiver, SignalSender } from "./link/signals.ts";
export { FpgaNetwork, type NetworkLayer, type NetworkRun } from "./network.ts";
export { TwinDevice, type TwinOptions } from "./twin/device.ts";
export { type Mode, nearestScale, type RowScale } from "./twin/layer.ts";
export { type Faults, twinLine } from "./twin/line.ts";
