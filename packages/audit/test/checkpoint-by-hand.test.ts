import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openAuditLog } from '../src/open-audit-log.ts'

const page = readFileSync(new URL('../../../docs/audit.md', import.meta.url), 'utf8')

test('a checkpoint is verified with OpenSSL as docs/audit.md prints it, and one that was changed is not', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-by-hand-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const log = await openAuditLog({ directory: join(folder, '.postern/audit'), origin: 'shop.example/audit' })
  await log.commit({ type: 'ban', time: 0, actor: {} })
  await log.close()
  const printed = /```sh\n(cp \.postern\/audit\/checkpoint[\s\S]*?)```/.exec(page)?.[1] ?? ''
  const run = (): { readonly status: number | null; readonly stdout: string; readonly stderr: string } =>
    spawnSync('sh', ['-e', '-c', printed], { cwd: folder, encoding: 'utf8' })
  const genuine = run()
  assert.deepEqual([genuine.status, genuine.stdout.trim()], [0, 'Signature Verified Successfully'])
  const path = join(folder, '.postern/audit/checkpoint')
  const [origin, size, ...rest] = readFileSync(path, 'utf8').split('\n')
  writeFileSync(path, [origin, Number(size) + 1, ...rest].join('\n'))
  const forged = run()
  assert.equal(forged.status, 1)
  assert.match(`${forged.stdout}${forged.stderr}`, /Verification Failure/)
})
