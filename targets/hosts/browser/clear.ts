// The folder of the kept models, and how a page empties it. The cache itself is the session worker's (cache.ts).

export const CACHE_FOLDER = "skint-models";

/** Removes every model this origin keeps. Models in use stay in memory. */
export async function clearCache(): Promise<void> {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(CACHE_FOLDER, { recursive: true }).catch((e) => {
    if (!(e instanceof DOMException && e.name === "NotFoundError")) throw e;
  });
}
