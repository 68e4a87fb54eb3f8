import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { readAudit } from '@postern/runtime'
import { readRunFile } from '@postern/server'

const folder = mkdtempSync(join(tmpdir(), 'postern-other-'))
const data = join(folder, 'data')
const NOBODY = 65_534
const isRoot = process.geteuid?.() === 0
chmodSync(folder, 0o755)
mkdirSync(join(data, 'audit'), { recursive: true })
writeFileSync(join(data, 'gateway.json'), '{}')
chmodSync(data, isRoot ? 0o700 : 0)
after(() => {
  chmodSync(data, 0o700)
  rmSync(folder, { recursive: true, force: true })
})

/** Runs as somebody whom the data directory is closed to. */
function asAnother(work: () => void): void {
  if (isRoot) process.seteuid?.(NOBODY)
  try {
    work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

describe('a user who may not read the data directory', () => {
  const message = /this user may not read it; it belongs to user \d+: run the command as the user that runs/

  test('does not read that nothing was recorded', () => {
    asAnother(() => assert.throws(() => readAudit(data), { code: 'POSTERN_STORE', message }))
  })

  test('does not read that no gateway runs', () => {
    asAnother(() => assert.throws(() => readRunFile(data), { code: 'POSTERN_STORE', message }))
  })

  test('reads so of a folder that is not there', () => {
    asAnother(() => {
      assert.throws(() => readAudit(join(folder, 'none')), /nothing was recorded here yet/)
      assert.equal(readRunFile(join(folder, 'none')), undefined)
    })
  })

  test('gets every check of the doctor all the same', () => {
    const bin = new URL('../../postern/src/bin.ts', import.meta.url).pathname
    const options = ['--conditions=@postern/source', '--disable-warning=ExperimentalWarning']
    const { stdout, stderr } = spawnSync(process.execPath, [...options, bin, 'doctor', '--data', data], {
      cwd: folder,
      encoding: 'utf8',
      ...(isRoot && { uid: NOBODY }),
    })
    assert.match(stdout, /data directory/, stderr)
    assert.match(stdout, /admin port/, stderr)
  })
})
