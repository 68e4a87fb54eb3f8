import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { verifyLog } from '@postern/audit/verifier'
import { cli, startCli } from '../../cli/test/cli.ts'
import { SqliteTraffic } from '../../console/src/index.ts'
import { postern } from '../src/index.ts'

describe('a log that was restored from a backup', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-restored-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('and is older than its anchor remembers opens from the command line, when that is meant', async () => {
    const config = { audit: { anchors: [{ file: 'anchor' }] } }
    writeFileSync(join(folder, 'postern.config.json'), JSON.stringify(config))
    const write = async (count: number): Promise<void> => {
      const { audit, close } = await postern({ folder, log: 'none' })
      assert.ok(audit)
      for (let i = 0; i < count; i++)
        await audit.append({ type: 'login.failed', time: Date.UTC(2026, 4, 4, 12, i), actor: {} })
      await audit.checkpoint()
      await close()
    }
    await write(3)
    cpSync(join(folder, '.postern'), join(folder, 'backup'), { recursive: true })
    await write(3)
    rmSync(join(folder, '.postern'), { recursive: true })
    renameSync(join(folder, 'backup'), join(folder, '.postern'))
    await assert.rejects(write(1), /postern audit accept-rollback/)
    assert.equal((await cli(['audit', 'accept-rollback'], folder)).code, 2)
    const accepted = await cli(['audit', 'accept-rollback', '--yes'], folder)
    assert.equal(accepted.code, 0, accepted.stderr)
    assert.match(
      accepted.stdout,
      /the log continues with \d+ entries; the last ones record that this was accepted, and by whom/,
    )
    await write(1)
  })
})

/** The commands over a log that a layer has written and left. */
describe('the log on the command line', { timeout: 600_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-audit-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  before(async () => {
    const layer = await postern({ folder })
    const { audit } = layer
    assert.ok(audit)
    for (let i = 0; i < 12; i++)
      await audit.append({
        type: 'login.failed',
        time: Date.UTC(2026, 4, 4, 12, i),
        actor: { principal: i % 2 === 0 ? 'alice' : 'bob', address: '203.0.113.9', tenant: 'acme' },
        data: { attempt: i },
      })
    await layer.close()
  })

  const json = async (args: readonly string[]): Promise<readonly Record<string, unknown>[]> => {
    const { code, stdout, stderr } = await cli(['audit', ...args, '--json'], folder)
    assert.equal(code, 0, stderr + stdout)
    return stdout
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Record<string, unknown>)
  }

  test('verifies', async () => {
    const [report] = await json(['verify'])
    assert.deepEqual([report?.['ok'], report?.['size']], [true, 12])
  })

  test('is searched by who, what and when', async () => {
    assert.equal((await json(['search', '--principal', 'alice', '--tenant', 'acme'])).length, 6)
    assert.equal((await json(['search', '--address', '203.0.113.9', '--limit', '3'])).length, 3)
    assert.equal((await json(['search', '--since', '2026-05-04T12:10:00Z'])).length, 2)
    assert.equal((await cli(['audit', 'search', '--principal', 'nobody'], folder)).code, 1)
    assert.equal((await cli(['audit', 'search', '--since', 'yesterday'], folder)).code, 2)
  })

  test('shows its end, a proof and a checkpoint', async () => {
    assert.deepEqual(
      (await json(['tail', '-n', '2'])).map(entry => entry['index']),
      [10, 11],
    )
    const [proof] = await json(['proof', '3'])
    assert.match(String(proof?.['proof']), /^c2sp\.org\/tlog-proof@v1\n/)
    assert.equal((await cli(['audit', 'proof', '99'], folder)).code, 2)
    const [checkpoint] = await json(['checkpoint'])
    assert.equal(checkpoint?.['size'], 12)
  })

  test('is exported as NDJSON, OCSF and CEF, and a tenant whole', async () => {
    assert.equal((await json(['export'])).length, 12)
    assert.ok(
      (await json(['export', '--format', 'ocsf'])).every(event => typeof event['class_uid'] === 'number'),
    )
    const cef = await cli(['audit', 'export', '--format', 'cef'], folder)
    assert.match(cef.stdout, /^CEF:/m)
    assert.equal((await json(['export', '--complete', '--tenant', 'acme'])).length, 14)
    assert.equal((await cli(['audit', 'export', '--format', 'xml'], folder)).code, 2)
  })

  test('checks an export: complete, cut off at the end, changed, not there', async () => {
    const whole = await cli(['audit', 'export', '--complete', '--tenant', 'acme'], folder)
    const file = join(folder, 'acme.ndjson')
    writeFileSync(file, whole.stdout)
    const check = (name: string): ReturnType<typeof cli> => cli(['audit', 'check-export', name], folder)
    const complete = await check('acme.ndjson')
    assert.equal(complete.code, 0, complete.stderr)
    assert.match(complete.stdout, /^complete: 12 entries of tenant "acme" from number 1 on/)
    const lines = whole.stdout.trimEnd().split('\n')
    const end = JSON.parse(lines.at(-1) ?? '') as { readonly complete: string }
    writeFileSync(file, [...lines.slice(0, -3), JSON.stringify({ ...end, count: 10 })].join('\n'))
    const cut = await check('acme.ndjson')
    assert.equal(cut.code, 4)
    assert.match(cut.stderr, /entries are missing at the end/)
    writeFileSync(file, [...lines.slice(0, -3), JSON.stringify({ end: true, count: 10 })].join('\n'))
    const unsigned = await check('acme.ndjson')
    assert.equal(unsigned.code, 1)
    assert.match(unsigned.stdout, /its end is not signed.*later entries may be missing/)
    assert.equal((await check('none.ndjson')).code, 2)
  })

  test('shows the date of each entry', async () => {
    const { stdout } = await cli(['audit', 'search', '--principal', 'alice', '--tenant', 'acme'], folder)
    assert.match(stdout, /^ +10 {2}2026-05-04 12:10:00\.000 sign-in failed: alice/m)
  })

  test('is pruned only when that is meant, and says what it would remove', async () => {
    const asked = await cli(['audit', 'prune', '--keep', '0s'], folder)
    assert.equal(asked.code, 2)
    assert.match(asked.stderr, /would remove every entry from before \d{4}-.*cannot be undone/)
    assert.match(asked.stderr, /postern audit prune --keep 0s --yes/)
    assert.equal((await json(['verify']))[0]?.['entries'], 12)
  })

  test('is searched for what observe mode let pass', async () => {
    assert.equal((await cli(['audit', 'search', '--decision', 'would-deny'], folder)).code, 1)
    const wrong = await cli(['audit', 'search', '--decision', 'would-allow'], folder)
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /would-throttle, would-challenge, would-deny/)
  })

  test('is served to others, who verify it without the machine it is on', async () => {
    const child = startCli(['audit', 'serve', '--listen', '127.0.0.1:0', '--json'], folder)
    const closed = once(child, 'close') as Promise<[number | null]>
    try {
      const [said] = (await once(child.stdout, 'data')) as [Buffer]
      const { url } = JSON.parse(said.toString()) as { readonly url: string }
      const [checkpoint] = await json(['checkpoint'])
      const report = await verifyLog({
        verifierKeys: checkpoint?.['verifierKeys'] as readonly string[],
        read: async path => {
          const response = await fetch(`${url}/${path}`)
          return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined
        },
      })
      assert.deepEqual([report.ok, report.entries], [true, 12])
      assert.equal((await fetch(`${url}/index.db`)).status, 404)
      assert.equal((await fetch(`${url}/checkpoint`, { method: 'POST' })).status, 405)
    } finally {
      child.kill('SIGTERM')
    }
    assert.deepEqual((await closed)[0], 0)
  })

  test('is cosigned by a witness whose address can be copied as it is printed', async t => {
    if (!Object.values(networkInterfaces()).some(one => one?.some(({ address }) => address === '::1')))
      return t.skip('this machine has no IPv6')
    const [checkpoint] = await json(['checkpoint'])
    const key = String(checkpoint?.['verifierKeys']).split(',', 1)[0]
    const data = mkdtempSync(join(tmpdir(), 'postern-witness-'))
    t.after(() => rmSync(data, { recursive: true, force: true }))
    const log = `${String(checkpoint?.['origin'])}=${key}`
    const args = ['audit', 'witness', '--log', log, '--listen', '[::1]:0', '--data', data, '--json']
    const child = startCli(args, folder)
    const closed = once(child, 'close') as Promise<[number | null]>
    try {
      const [said] = (await once(child.stdout, 'data')) as [Buffer]
      const { url } = JSON.parse(said.toString()) as { readonly url: string }
      assert.match(url, /^http:\/\/\[::1\]:[1-9]\d*$/)
      assert.equal((await fetch(`${url}/add-checkpoint`)).status, 405)
    } finally {
      child.kill('SIGTERM')
    }
    assert.deepEqual((await closed)[0], 0)
  })

  test('has an index that says what it says', async () => {
    const [report] = await json(['rebuild'])
    assert.deepEqual([report?.['size'], report?.['identical']], [12, true])
  })

  test('forgets a person only when that is meant, and still verifies', async () => {
    // What a console kept earlier, while nothing runs.
    const directory = join(folder, '.postern')
    const kept = (): SqliteTraffic => SqliteTraffic.open({ directory, keep: 1e9, maxSize: 1e9 })
    const written = kept()
    for (const principal of ['alice', 'bob']) {
      const event = { type: 'login.failed', time: Date.now(), actor: { principal, tenant: 'acme' } }
      await written.write([{ event, weight: 1, guardTimes: undefined }], [])
    }
    await written.close()
    assert.equal((await cli(['audit', 'erase', 'alice', '--tenant', 'acme'], folder)).code, 2)
    await json(['erase', 'alice', '--tenant', 'acme', '--yes'])
    const traffic = kept()
    assert.deepEqual(
      (await traffic.find({ limit: 5 })).map(({ event, erased }) => [event.actor.principal, erased]),
      [
        ['bob', false],
        [undefined, true],
      ],
    )
    await traffic.close()
    assert.equal((await cli(['audit', 'search', '--principal', 'alice', '--tenant', 'acme'], folder)).code, 1)
    assert.equal((await json(['search', '--principal', 'bob', '--tenant', 'acme'])).length, 6)
    const [report] = await json(['verify'])
    assert.equal(report?.['ok'], true)
  })

  test('tells where a byte was changed, and ends with 4', async () => {
    const entries = join(folder, '.postern/audit/tile/entries')
    // Older, narrower versions of the last bundle may still be there; the checkpoint commits to the widest.
    const widest = readdirSync(join(entries, '000.p'))
      .map(Number)
      .sort((x, y) => y - x)[0]
    const path = join(entries, '000.p', String(widest))
    const bytes = readFileSync(path)
    bytes[40] = (bytes[40] ?? 0) ^ 1
    writeFileSync(path, bytes)
    const { code, stdout } = await cli(['audit', 'verify'], folder)
    assert.equal(code, 4)
    assert.match(stdout, /CHANGED/)
    assert.match(stdout, /tile\/entries\/.* bytes \d+ to \d+/)
  })
})
