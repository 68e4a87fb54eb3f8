import { ConfigError } from '@postern/core'

/** Keys of a limit, which people also write among the options of its rule. */
const BESIDE: ReadonlySet<string> = new Set([
  ...['cost', 'eventStreams', 'exempt', 'key', 'name', 'overrides', 'plan', 'routes', 'when'],
])

/**
 * Refuses options that would have no effect: without types, a limit that names its key in the wrong place
 * would silently count by address.
 * @param place the function that takes them: `limit`
 * @throws ConfigError naming the first one that is not known
 */
export function requireKnownOptions(place: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw new ConfigError({ place, problem: 'its options are not an object', hint: hintOf(known) })
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const hint = BESIDE.has(name)
      ? `it stands beside the rule: { limit: limit(100, "1m"), ${name}: ... }`
      : hintOf(known)
    throw new ConfigError({ place, problem: `has no option "${name.slice(0, 60)}"`, hint })
  }
}

function hintOf(known: readonly string[]): string {
  return `its options are ${known.join(', ')}`
}
