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

const GUARDED: readonly (readonly [what: string, config: Config, named: string | undefined])[] = [
  ['a role', { routes: { 'GET /a': { require: { role: 'clerk' } } } }, '"GET /a"'],
  ['a signed-in caller', { routes: { 'GET /a': { require: {} } } }, '"GET /a"'],
  ['an approval', { routes: { 'POST /b': { approve: { by: 'role:owner' } } } }, '"POST /b"'],
  ['strangers too', { routes: { '/c': { require: { kind: ['user', 'anonymous'] } } } }, undefined],
  ['a limit alone', { routes: { '/d': { throttle: '10/1m' } } }, undefined],
  ['a role, of built-in identity', { identity: BUILT_IN, routes: { '/a': { require: {} } } }, undefined],
  ['a role, of tokens', { identify: [issuer('one')], routes: { '/a': { require: {} } } }, undefined],
  [
    'a role, on many routes',
    {
      routes: Object.fromEntries(
        Array.from({ length: 12 }, (_, i) => [`/${i}`, { require: { role: 'clerk' } }] as const),
      ),
    },
    'and 2 more',
  ],
]
for (const [what, config, named] of GUARDED)
  test(`a start ${named === undefined ? 'says nothing of' : 'names'} routes that refuse everybody, because nothing identifies: ${what}`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-notes-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const loaded = await loadConfig({ config, folder, environment: {} })
    const notes = (await startNotes(loaded.config, undefined)).filter(note => note.startsWith('routes: '))
    assert.equal(notes.length, named === undefined ? 0 : 1)
    if (named !== undefined) assert.ok(notes[0]?.includes(named), notes[0])
  })
