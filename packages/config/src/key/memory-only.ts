/**
 * The data directory of a configuration with `dataDirectory: false`: there is none. No file can have this
 * name.
 */
export const MEMORY_ONLY = '\0memory'

/** Whether a process with this data directory keeps nothing on disk. */
export function isMemoryOnly(dataDirectory: string): boolean {
  return dataDirectory === MEMORY_ONLY
}
