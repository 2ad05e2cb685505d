import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "test/peers/**", ...(process.env.SKINT_LONG ? [] : ["test/**/*.long.test.ts"])],
    testTimeout: 60_000,
    pool: "forks",
  },
});
