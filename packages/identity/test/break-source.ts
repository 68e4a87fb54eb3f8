// Preloaded by broken-variants.test.ts: replaces text of source files while they are loaded, so that a test
// can be seen failing against code that is wrong on purpose. Nothing on disk changes.
import { registerHooks } from 'node:module'
import type { Change } from './broken-variants.ts'

const changes: readonly Change[] = JSON.parse(process.env['POSTERN_BREAK'] ?? '[]')

registerHooks({
  load: (url, context, next) => {
    const loaded = next(url, context)
    const here = changes.filter(({ file }) => url.endsWith(`/${file}`))
    if (here.length === 0 || loaded.source === undefined) return loaded
    let text =
      typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString()
    for (const { from, to } of here) {
      if (!text.includes(from)) throw new Error(`${url} has no ${JSON.stringify(from)}`)
      text = text.replace(from, () => to)
      process.stderr.write(`broken: ${url}\n`)
    }
    return { ...loaded, source: text }
  },
})
