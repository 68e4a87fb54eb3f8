import assert from 'node:assert/strict'
import { createCipheriv, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { filesUnder } from '../src/exposure/candidate-secrets.ts'
import { measureExposure, type StolenValue } from '../src/exposure/exposure.ts'
import { LocalKeys } from '../src/local/local-keys.ts'
import { seal } from '../src/local/local-record.ts'
import type { RecordContext } from '../src/record/record-context.ts'

const VALUES = 2_000
const CANDIDATES = 5_000

function place(row: number, tenant = ''): RecordContext {
  return { tenant, table: 'customers', column: 'email', row: [`${row}`], version: 0 }
}

/** A folder with very many texts that look like keys: what a dump of a heap holds. */
function folderOf(context: TestContext, last: readonly string[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), 'exposure-effort-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const texts = Array.from({ length: CANDIDATES }, () => randomBytes(32).toString('base64url'))
  writeFileSync(join(folder, 'texts'), [...texts, ...last].join('\n'))
  return folder
}

const sealed = (keys: LocalKeys, tenants: readonly string[] = ['']): readonly StolenValue[] =>
  Array.from({ length: VALUES }, (_, row) => {
    const context = place(row, tenants[row % tenants.length])
    return { context, value: seal(keys, context, Buffer.from(`customer ${row}`)) }
  })

describe('a thief with thousands of texts that look like keys', { timeout: 120_000 }, () => {
  // Every text on every value would be ten million trials: minutes.
  it('finds the one key of mode local among them, for all values', async context => {
    const keys = LocalKeys.generate()
    const [key = ''] = keys.format().match(/[\w-]{43}/) ?? []
    const exposure = await measureExposure({
      values: sealed(keys, ['acme', 'globex']),
      folders: [folderOf(context, [key])],
      environment: {},
    })
    assert.deepEqual(exposure.ways, { 'key in the loot': VALUES })
  })

  it('opens nothing without it, and a column in another format neither', async context => {
    const raw = Array.from({ length: VALUES }, (_, row) => ({ context: place(row), value: randomBytes(60) }))
    const exposure = await measureExposure({
      values: [...sealed(LocalKeys.generate()), ...raw],
      folders: [folderOf(context)],
      environment: {},
    })
    assert.deepEqual(exposure, { total: 2 * VALUES, opened: 0, ways: {}, refused: 0 })
  })

  it('finds the key of a column that is encrypted another way, behind values that are not', async context => {
    const key = randomBytes(32)
    const values = Array.from({ length: VALUES }, (_, row) => {
      if (row < VALUES / 2) return { context: place(row), value: `customer ${row}, not encrypted yet` }
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const value = Buffer.concat([nonce, cipher.update(`c ${row}`), cipher.final(), cipher.getAuthTag()])
      return { context: place(row), value: value.toString('base64') }
    })
    const exposure = await measureExposure({
      values,
      folders: [folderOf(context, [key.toString('hex')])],
      environment: {},
    })
    assert.deepEqual(exposure.ways, { plain: VALUES / 2, 'key in the loot': VALUES / 2 })
  })

  it('stops when the signal fires', async context => {
    const stop = new AbortController()
    const folder = folderOf(context)
    setTimeout(() => stop.abort(), 60)
    await assert.rejects(
      measureExposure({
        values: sealed(LocalKeys.generate()),
        folders: [folder],
        environment: {},
        signal: stop.signal,
      }),
      { name: 'AbortError' },
    )
  })
})

// Node's own recursive reading follows links to folders: workspaces of npm link to each other in circles.
it('a thief walks through each folder once, and takes nothing that links lead to', context => {
  const folder = folderOf(context)
  const elsewhere = folderOf(context)
  mkdirSync(join(folder, 'packages', 'a', 'node_modules'), { recursive: true })
  writeFileSync(join(folder, 'packages', 'a', '.env'), 'KEY=1')
  for (const name of ['a', 'b']) symlinkSync(folder, join(folder, 'packages', 'a', 'node_modules', name))
  symlinkSync(elsewhere, join(folder, 'elsewhere'))
  symlinkSync(join(elsewhere, 'texts'), join(folder, 'linked'))
  assert.deepEqual(
    [...filesUnder([folder])].sort(),
    [join(folder, 'packages', 'a', '.env'), join(folder, 'texts')].sort(),
  )
})
