// A session worker in a browser that lacks what the address names after `?`, separated by commas.
const ABSENT = {
  SharedArrayBuffer: () => delete globalThis.SharedArrayBuffer,
  OPFS: () => delete FileSystemFileHandle.prototype.createSyncAccessHandle,
  storage: () => Object.defineProperty(navigator, "storage", { value: undefined }),
  Worker: () => delete globalThis.Worker,
  SIMD: () => {
    WebAssembly.validate = () => false;
  },
  relaxed: () => {
    const { validate } = WebAssembly;
    // the opcode of the relaxed dot product
    WebAssembly.validate = (bytes) => !bytes.join().includes("253,147,2") && validate.call(WebAssembly, bytes);
  },
};
for (const name of new URL(import.meta.url).search.slice(1).split(",").filter(Boolean)) ABSENT[name]();
await import("./dist/browser-worker.js");
