// Imported first, so that another runtime says what is missing before anything else is loaded.

/** The oldest major version of Node that Postern runs on. */
const OLDEST = 24
/** Runtimes that call themselves Node too, but lack modules of it that Postern needs. */
const OTHERS = { bun: 'Bun', deno: 'Deno' } as const

/**
 * Stops where this is another runtime, or a Node that is too old.
 * @param versions as `process.versions` says them
 * @throws Error in one sentence
 */
export function requireNode(versions: Readonly<Record<string, string | undefined>>): void {
  for (const [key, name] of Object.entries(OTHERS))
    if (versions[key] !== undefined)
      throw new Error(
        `Postern needs Node ${OLDEST} or newer; this is ${name} ${versions[key]}. ` +
          `Run the gateway with Node in front of it: npx postern gateway --to http://127.0.0.1:3000`,
      )
  const { node = '0' } = versions
  if (Number(node.split('.', 1)[0]) >= OLDEST) return
  throw new Error(`Postern needs Node ${OLDEST} or newer; this is Node ${node}.`)
}

requireNode(process.versions)
