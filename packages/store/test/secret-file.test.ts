import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ConfigError } from '@postern/core'
import { createSecretFile, readSecretFile, replaceSecretFile } from '@postern/store'

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

const HINTS = { missing: 'make it', notFile: 'give a file' }
const skip = process.platform === 'win32' && 'no modes, pipes and sockets here'

test('a secret is read from a file, or from one that a link leads to', () => {
  const path = join(folder, 'four')
  createSecretFile(path, 'secret\n')
  assert.equal(readSecretFile(path, HINTS), 'secret\n')
  symlinkSync(path, join(folder, 'four.link'))
  assert.equal(readSecretFile(join(folder, 'four.link'), HINTS), 'secret\n')
})

test('a secret that others can read is not read', { skip }, () => {
  const path = join(folder, 'five')
  createSecretFile(path, 'secret')
  for (const mode of [0o640, 0o604, 0o610, 0o601]) {
    chmodSync(path, mode)
    assert.equal(problemOf(path), `${path}: can be read by other users (chmod 600 ${path})`)
  }
  chmodSync(path, 0o400)
  assert.equal(readSecretFile(path, HINTS), 'secret')
})

test('a folder, a pipe, a socket or a device in its place is refused at once, with what to do', {
  skip,
}, async () => {
  const at = (name: string): string => join(folder, name)
  mkdirSync(at('folder'), { mode: 0o700 })
  execFileSync('mkfifo', ['-m', '600', at('pipe')])
  const server = createServer().listen(at('socket'))
  await once(server, 'listening')
  try {
    for (const path of [at('folder'), at('pipe'), at('socket'), '/dev/zero'])
      assert.equal(problemOf(path), `${path}: is not a file (give a file)`)
  } finally {
    server.close()
  }
  assert.match(problemOf(at('none')), /\(make it\)$/)
  createSecretFile(at('large'), 'x'.repeat(65_537))
  assert.match(problemOf(at('large')), /is larger than 65536 bytes/)
})

function problemOf(path: string): string {
  try {
    return readSecretFile(path, HINTS)
  } catch (error) {
    return error instanceof ConfigError ? error.message : `thrown: ${String(error)}`
  }
}
