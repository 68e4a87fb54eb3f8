import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError } from '@postern/core'
import { postern } from '../src/index.ts'

test('a start names every mistake that only opening finds, not the first one alone', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-mistakes-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const start = postern({
    folder,
    log: 'none',
    config: {
      audit: { ship: [{ syslog: 'tls://127.0.0.1:6514', ca: 'missing.pem' }] },
      identity: { origin: 'http://localhost:8080', secretFile: 'missing.secret' },
      policies: 'missing.cedar',
      scenarios: { folders: ['missing'] },
    },
  })
  await assert.rejects(start, error => {
    assert.ok(error instanceof ConfigError)
    for (const { problem } of error.issues) assert.match(problem, /does not exist$/)
    assert.deepEqual(
      error.issues.map(({ place }) => place.replace(folder, '')),
      ['/missing', 'policies', 'audit.ship[0].ca', 'identity.secretFile'],
    )
    return true
  })
})
