// A line of bytes, whatever it is made of: a serial port of Node or of a browser, the simulator, or a twin in memory.

export interface Line {
  /** For messages: `/dev/ttyUSB1`. */
  readonly name: string;
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Bytes that have come, waiting at most `ms` for the first; empty if none came. A simulated line has a time of its own and does not make
   * anyone wait. Throws `device.lost` once the line is gone.
   */
  read(ms: number): Promise<Uint8Array>;
  /** Sets the modem lines, which reset many boards; not there where the line has none. */
  signals?(state: { readonly dtr: boolean; readonly rts: boolean }): Promise<void>;
  close(): Promise<void>;
}
