import { ConfigError } from '@postern/core'

/** What is called first on a layer. */
const FIRST = ['express', 'nest', 'fastify', 'koa', 'hono', 'node', 'fetch', 'next', 'guardUpgrades'] as const

/** Makes a promise of a layer say what is missing where it is used as one: `app.use(postern().express())`. */
export function sayAwait<Layer>(started: Promise<Layer>): Promise<Layer> {
  for (const name of FIRST)
    Object.defineProperty(started, name, {
      value: () => {
        // Whoever made this mistake does not wait for what the start comes to either.
        started.catch(() => undefined)
        throw new ConfigError({
          place: `postern().${name}`,
          problem: 'postern() gives a promise of the layer, not the layer',
          hint: `write const layer = await postern(), then layer.${name}(); in CommonJS inside of an async function`,
        })
      },
    })
  return started
}
