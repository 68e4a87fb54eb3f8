import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'

/** Code that most applications have no use for, and that takes long to load. */
const RARE =
  /\/packages\/identity\/src\/(?:built-in|oauth|pages)\/|\/packages\/access\/src\/(?:index|policy\/policy-set|budget\/install-budgets|journal\/undo)\.ts|\/packages\/(?:vault|console)\//

describe('a start of the middleware', () => {
  test('by default loads nothing of built-in identity, the vault, the console, policies or undo', () => {
    const loaded = filesLoaded('{}')
    assert.ok(loaded.some(url => url.includes('/packages/inspect/src/')))
    assert.deepEqual(
      loaded.filter(url => RARE.test(url)),
      [],
    )
  })

  test('with built-in identity loads it', () => {
    const loaded = filesLoaded(`{ identity: { origin: 'http://localhost:3000' } }`)
    assert.ok(loaded.some(url => url.includes('/packages/identity/src/built-in/')))
  })
})

/** @param config as source text */
function filesLoaded(config: string): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'postern-light-'))
  const program = `
    import { registerHooks } from 'node:module'
    const urls = []
    registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) })
    const { postern } = await import(${JSON.stringify(import.meta.resolve('../src/index.ts'))})
    const layer = await postern({ folder: ${JSON.stringify(folder)}, config: ${config} })
    console.log(JSON.stringify(urls))
    await layer.close()`
  try {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [...SOURCE_FLAGS, '--input-type=module', '-e', program],
      { encoding: 'utf8', timeout: 60_000 },
    )
    assert.equal(status, 0, stderr)
    return JSON.parse(stdout) as readonly string[]
  } finally {
    rmSync(folder, { recursive: true })
  }
}
