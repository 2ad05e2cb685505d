// Lets the event loop turn: signals, messages and timers get their chance between two pieces of synchronous work.

/** Resolves in a later macrotask, without the delay of a timer where the host allows. */
export function turn(): Promise<void> {
  const immediate = (globalThis as { setImmediate?: (f: () => void) => void }).setImmediate;
  if (immediate) return new Promise((resolve) => immediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}
