import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'

const PROGRAM = `
import Module from 'node:module'
import { postern } from '../../src/index.ts'

// The package is installed here; on most machines it is not.
const find = Module._resolveFilename
Module._resolveFilename = (name, ...rest) => {
  if (name !== '@simplewebauthn/server') return find(name, ...rest)
  throw Object.assign(new Error('not found'), { code: 'MODULE_NOT_FOUND' })
}
const identity = { origin: 'https://shop.example' }
for (const [more, log] of [[{ identity }, 'start'], [{}, 'start'], [{ identity }, 'none']]) {
  const lines = []
  const config = { audit: false, ...more }
  const layer = await postern({ folder: import.meta.dirname, config, log, onLine: line => lines.push(line) })
  await layer.close()
  console.log(JSON.stringify(lines.filter(line => line.includes('passkey'))))
}
`

const folder = mkdtempSync(join(import.meta.dirname, '.passkeys-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('the middleware says at its start that sign-in pages offer no passkeys, and what to install', () => {
  writeFileSync(join(folder, 'program.ts'), PROGRAM)
  const { stdout, stderr } = spawnSync(process.execPath, [...SOURCE_FLAGS, 'program.ts'], {
    cwd: folder,
    encoding: 'utf8',
  })
  const [withIdentity = '', without, silent] = stdout.trim().split('\n')
  assert.match(withIdentity, /^\["passkeys are not offered: .*npm install @simplewebauthn\/server@/, stderr)
  assert.deepEqual([without, silent], ['[]', '[]'])
})
