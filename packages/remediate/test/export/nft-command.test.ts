import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Remediation, VirtualClock } from '@postern/core'
import { parseActor } from '../../src/actor-text.ts'
import { followWithNftables, nftablesScript, runNft } from '../../src/export/nftables.ts'
import { RemediationStore } from '../../src/remediation-store.ts'

/** Puts a program named `nft` first on the path, in place of the one that would change the firewall. */
async function standIn(t: TestContext, script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-nft-'))
  const path = process.env['PATH'] ?? ''
  await writeFile(join(folder, 'nft'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  process.env['PATH'] = `${folder}${delimiter}${path}`
  t.after(async () => {
    process.env['PATH'] = path
    await rm(folder, { recursive: true })
  })
  return folder
}

test('nft gets the script on standard input, and its flags', async t => {
  const folder = await standIn(t, 'echo "$@" > "$(dirname "$0")/flags"; cat > "$(dirname "$0")/script"')
  await runNft('add table inet postern\n', ['-c'])
  assert.equal(await readFile(join(folder, 'flags'), 'utf8'), '-c -f -\n')
  assert.equal(await readFile(join(folder, 'script'), 'utf8'), 'add table inet postern\n')
})

test('a refusal of nft is an error with its first line and its exit code', async t => {
  await standIn(t, 'echo "Error: Operation not permitted" >&2; echo "more of it" >&2; exit 3')
  await assert.rejects(runNft('x'), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'POSTERN_STORE')
    assert.match(error.message, /nft ended with 3: Error: Operation not permitted$/)
    return true
  })
})

test('a nft that ends before it has read its input fails by its exit code, not by the broken pipe', async t => {
  await standIn(t, 'exit 4')
  await assert.rejects(runNft('add table inet postern\n'.repeat(20_000)), /nft ended with 4/)
})

test('a missing nft is an error that asks whether it is installed', async t => {
  const folder = await standIn(t, 'exit 0')
  process.env['PATH'] = join(folder, 'empty')
  await assert.rejects(runNft('x'), { code: 'POSTERN_STORE', message: /is nftables installed\?/ })
})

test('an element ends when its remediation does, counted from now, and lines stay short', () => {
  const block = (value: string, expiresAt: number): Remediation => ({
    id: value,
    actor: parseActor(value),
    measure: 'block',
    reason: '',
    origin: 'test',
    createdAt: 0,
    expiresAt,
  })
  const now = 1_000_000
  const list = [
    block('192.0.2.7', now + 90_001),
    ...Array.from({ length: 100 }, (_, i) => block(`198.51.100.${i}`, now + 1)),
  ]
  const script = nftablesScript({ list: () => list, isProtected: () => false }, now, { table: 'shop' })
  assert.match(script, /192\.0\.2\.7 timeout 91s/)
  assert.match(script, /198\.51\.100\.0 timeout 1s/)
  const filled = script.split('\n').filter(line => line.startsWith('add element inet shop blocked4'))
  assert.deepEqual(
    filled.map(line => line.split(', ').length),
    [100, 1],
  )
  assert.doesNotMatch(script, /blocked6 \{ [0-9a-f]*:/)
})

test('changes that come together go into one script, none follows what only expired, none a stopped follower', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const clock = new VirtualClock()
  const store = await RemediationStore.open({ clock })
  const scripts: string[] = []
  const stop = followWithNftables({
    store,
    clock,
    run: async text => {
      scripts.push(text)
    },
    onError: error => assert.fail(String(error)),
  })
  const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
  await settled()
  assert.equal(scripts.length, 1)
  await store.add({ actor: parseActor('192.0.2.7'), for: '10s', reason: '' })
  await store.add({ actor: parseActor('192.0.2.8'), for: '1h', reason: '' })
  t.mock.timers.tick(999)
  await settled()
  assert.equal(scripts.length, 1)
  t.mock.timers.tick(1)
  await settled()
  assert.equal(scripts.length, 2)
  assert.match(scripts[1] ?? '', /192\.0\.2\.8 timeout 3600s, 192\.0\.2\.7 timeout 10s/)
  clock.advance(10_000)
  store.sweep()
  t.mock.timers.tick(1_000)
  await settled()
  assert.equal(scripts.length, 2, 'the kernel removes what has expired')
  await store.add({ actor: parseActor('192.0.2.9'), for: '1h', reason: '' })
  await stop()
  t.mock.timers.tick(1_000)
  await settled()
  assert.equal(scripts.length, 2)
  await store.close()
})

test('a script that fails is reported, and the next change is applied all the same', async () => {
  const store = await RemediationStore.open()
  const errors: unknown[] = []
  let runs = 0
  let ran = Promise.withResolvers<void>()
  const stop = followWithNftables({
    store,
    settle: 0,
    run: async () => {
      runs++
      ran.resolve()
      if (runs === 1) throw new Error('not permitted')
    },
    onError: error => errors.push(error),
  })
  await ran.promise
  ran = Promise.withResolvers()
  await store.add({ actor: parseActor('192.0.2.7'), for: '1h', reason: '' })
  await ran.promise
  await stop()
  assert.deepEqual([runs, errors.length], [2, 1])
  await store.close()
})
