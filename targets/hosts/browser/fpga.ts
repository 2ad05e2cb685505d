// The FPGA device as pages use it: over Web Serial.
export * from "../../devices/fpga/index.ts";
export { type WebSerialPort, webSerialLine } from "../../devices/fpga/link/webserial.ts";
