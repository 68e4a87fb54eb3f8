import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { fileVersion, followFile } from '../src/index.ts'

const BEFORE = 'mode: enforce\nroutes: { "/admin/**": { inspect: true } }\n'
const LOOK_MS = 500

interface Followed {
  readonly path: string
  readonly folder: string
  changes(): number
  look(times?: number): void
}

function follow(t: TestContext): Followed {
  const folder = mkdtempSync(join(tmpdir(), 'postern-follow-'))
  const path = join(folder, 'postern.config.yaml')
  writeFileSync(path, BEFORE)
  t.mock.timers.enable({ apis: ['setInterval'] })
  let changes = 0
  const end = followFile(path, fileVersion(path), () => changes++)
  t.after(() => {
    end()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    path,
    folder,
    changes: () => changes,
    look: (times = 1) => {
      for (let i = 0; i < times; i++) t.mock.timers.tick(LOOK_MS)
    },
  }
}

describe('a configuration that is followed', () => {
  test('is not read while it is empty: whoever writes in place empties it first', t => {
    const { path, changes, look } = follow(t)
    writeFileSync(path, '')
    look(5)
    assert.equal(changes(), 0)
    writeFileSync(path, `${BEFORE}trustProxies: [loopback]\n`)
    look(2)
    assert.equal(changes(), 1)
  })

  test('is not read while it still grows: half of it may be valid, with rules missing', t => {
    const { path, changes, look } = follow(t)
    for (let lines = 1; lines <= 6; lines++) {
      writeFileSync(path, 'limits: { address: 100/1m }\n# and more\n'.repeat(lines))
      look()
      assert.equal(changes(), 0, `after ${lines}`)
    }
    look()
    assert.equal(changes(), 1)
    look(3)
    assert.equal(changes(), 1, 'once')
  })

  test('is read when another took its place, also behind a link', t => {
    const { path, folder, changes, look } = follow(t)
    writeFileSync(`${path}.next`, `${BEFORE}# other\n`)
    renameSync(`${path}.next`, path)
    look(2)
    assert.equal(changes(), 1)
    // As a mounted volume does.
    const other = join(folder, 'other.yaml')
    writeFileSync(other, `${BEFORE}# a third\n`)
    symlinkSync(other, `${path}.link`)
    renameSync(`${path}.link`, path)
    look(2)
    assert.equal(changes(), 2)
  })

  test('that is the old one again is not read', t => {
    const { path, changes, look } = follow(t)
    renameSync(path, `${path}.away`)
    look(2)
    renameSync(`${path}.away`, path)
    look(3)
    assert.equal(changes(), 0)
  })
})
