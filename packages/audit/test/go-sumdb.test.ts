import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openAuditLog, readAuditLog } from '../src/index.ts'
import { freshDirectory, requestEvent } from './support/events.ts'

/** Debian's golang-golang-x-mod-dev puts the sources here. */
const GOPATH = process.env['POSTERN_GOPATH'] ?? '/usr/share/gocode'

function missing(): string | false {
  if (spawnSync('go', ['version']).status !== 0) return 'Go is not installed (Debian: golang-go)'
  if (!existsSync(`${GOPATH}/src/golang.org/x/mod/sumdb/note`))
    return `golang.org/x/mod is not in ${GOPATH} (Debian: golang-golang-x-mod-dev)`
  return false
}

test("Go's own golang.org/x/mod/sumdb verifies a log of ours", { skip: missing() }, async () => {
  const directory = freshDirectory()
  const origin = 'shop.example.com/audit'
  const earlier: string[] = []
  const log = await openAuditLog({ directory, origin })
  for (const count of [1, 6, 249, 1, 300, 43]) {
    for (let i = 0; i < count; i++) log.record(requestEvent(i))
    // A commit stands behind everything recorded before it.
    await log.commit(requestEvent(count))
    const path = `${directory}.checkpoint.${earlier.length}`
    writeFileSync(path, await log.checkpoint())
    earlier.push(path)
  }
  await log.close()
  const reader = readAuditLog(directory)
  const [key = ''] = await reader.verifierKeys()
  reader.close()
  const verify = fileURLToPath(new URL('./support/go/verify.go', import.meta.url))
  const run = spawnSync('go', ['run', verify, directory, key, origin, ...earlier], {
    encoding: 'utf8',
    env: { ...process.env, GOPATH, GO111MODULE: 'off', GOFLAGS: '' },
  })
  assert.equal(run.stderr, '')
  assert.equal(run.stdout, '606 entries, 6 earlier checkpoints\n')
})
