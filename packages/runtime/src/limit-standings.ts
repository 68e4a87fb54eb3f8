import type { Standing } from '@postern/throttle'
import type { Runtime } from './runtime.ts'

/**
 * Where a key stands in every limit that can say so, by its own rules where it has them.
 * @throws StoreError when counters or rules cannot be read
 */
export async function standingsOf(key: string, runtime: Runtime): Promise<readonly Standing[]> {
  const { config, limits, resources } = runtime
  const standings = await Promise.all(
    config.limits.map(async ({ name, limit, overrides: isOpen }) => {
      const own = isOpen ? await resources.limitOverrides?.read(name, key) : undefined
      return limits.peek(name, key, own ?? limit)
    }),
  )
  return standings.filter(standing => standing !== undefined)
}
