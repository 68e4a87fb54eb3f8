import assert from 'node:assert/strict'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createSecretFile, replaceSecretFile } from '@postern/store'

const folder = mkdtempSync(join(tmpdir(), 'postern-secret-file-'))
after(() => rmSync(folder, { recursive: true }))

test('a secret is created once, for its owner only, and nothing else is left behind', () => {
  const path = join(folder, 'one')
  assert.equal(createSecretFile(path, 'first\n'), true)
  assert.equal(createSecretFile(path, 'second\n'), false)
  assert.equal(readFileSync(path, 'utf8'), 'first\n')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(path).nlink, 1)
  assert.deepEqual(readdirSync(folder), ['one'])
  assert.throws(() => createSecretFile(join(folder, 'none', 'x'), 'text'), /ENOENT/)
})

test('a link that somebody put in place of a secret or its draft is not written through', () => {
  const target = join(folder, 'target')
  symlinkSync(target, join(folder, 'linked'))
  assert.equal(createSecretFile(join(folder, 'linked'), 'secret'), false)
  symlinkSync(target, join(folder, 'two.new'))
  replaceSecretFile(join(folder, 'two'), 'secret')
  assert.equal(readFileSync(join(folder, 'two'), 'utf8'), 'secret')
  assert.equal(existsSync(target), false)
})

test('a replaced secret is for its owner only, whoever could read the old one or its draft', () => {
  const path = join(folder, 'three')
  writeFileSync(path, 'old', { mode: 0o644 })
  writeFileSync(`${path}.new`, 'draft', { mode: 0o666 })
  replaceSecretFile(path, 'new')
  assert.equal(readFileSync(path, 'utf8'), 'new')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(existsSync(`${path}.new`), false)
})
