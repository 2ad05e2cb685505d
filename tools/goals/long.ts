// `npm run goals:long`: `npm run goals` with what takes too long for every day. SmolLM2-135M, which some of it compresses, is where SKINT_SMOL says.
process.env.SKINT_LONG = "1";
await import("./main.ts");

export {};
