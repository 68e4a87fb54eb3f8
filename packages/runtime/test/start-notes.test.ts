import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Config, loadConfig } from '@postern/config'
import { startNotes } from '@postern/runtime'

const issuer = (name: string, more: object = {}) => ({
  name,
  jwt: {
    issuer: `https://${name}.example`,
    audience: 'orders',
    jwks: `https://${name}.example/jwks`,
    ...more,
  },
})
const ISSUER = 'https://one.example'
const BUILT_IN = { origin: 'https://shop.example' }

const CASES: readonly (readonly [what: string, config: Config, named: string | undefined])[] = [
  ['one issuer', { identify: [issuer('one')] }, undefined],
  ['two issuers', { identify: [issuer('one'), issuer('two')] }, 'one, two'],
  ['two, one with a prefix', { identify: [issuer('one'), { ...issuer('two'), prefix: 'two:' }] }, undefined],
  [
    'three, two with the same prefix',
    { identify: [issuer('one'), ...['two', 'three'].map(name => ({ ...issuer(name), prefix: 'p:' }))] },
    'two, three',
  ],
  [
    'two entries of one issuer',
    { identify: [issuer('one'), issuer('two', { issuer: ISSUER, audience: 'reports' })] },
    undefined,
  ],
  ['a session of the application beside', { identify: [issuer('one'), { mtls: {} }] }, undefined],
  ['built-in identity', { identity: BUILT_IN, identify: [issuer('one')] }, 'built-in identity, one'],
  ['built-in identity alone', { identity: BUILT_IN }, undefined],
]
for (const [what, config, named] of CASES)
  test(`a start ${named === undefined ? 'says nothing of' : 'names'} issuers whose ids are one: ${what}`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-notes-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const loaded = await loadConfig({ config, folder, environment: {} })
    const notes = await startNotes(loaded.config, undefined)
    assert.equal(notes.length, named === undefined ? 0 : 1)
    if (named !== undefined) assert.ok(notes[0]?.includes(`ids of ${named} are not told apart`), notes[0])
  })
