// Imported first, so that an older Node says what is missing before anything else is loaded.

/** The oldest major version of Node that Postern runs on. */
const OLDEST = 24

/**
 * Stops where Node is too old.
 * @param version as `process.versions.node` says it
 * @throws Error in one sentence
 */
export function requireNode(version: string): void {
  if (Number(version.split('.', 1)[0]) >= OLDEST) return
  throw new Error(`Postern needs Node ${OLDEST} or newer; this is Node ${version}.`)
}

requireNode(process.versions.node)
