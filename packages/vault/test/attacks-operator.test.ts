import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { systemClock, systemRandom } from '@postern/core'
import { until } from '../../../test/until.ts'
import { parseHolderConfig } from '../src/holder/holder-config.ts'
import { type RunningHolder, startHolder } from '../src/holder/start-holder.ts'
import { SocketLink } from '../src/split/holder-link.ts'
import { EventList } from './support/holders.ts'
import { place } from './support/split-records.ts'

const folder = mkdtempSync(join(tmpdir(), 'vault-operator-'))
let holder: RunningHolder
let link: SocketLink
before(async () => {
  const path = join(folder, 'holder.key')
  writeFileSync(path, Buffer.from(systemRandom.bytes(32)).toString('base64url'), { mode: 0o600 })
  const config = parseHolderConfig(
    {
      id: 1,
      data: join(folder, 'holder.db'),
      operator: join(folder, 'operator.sock'),
      tls: { host: '127.0.0.1', port: 0 },
      peers: {},
      services: {},
    },
    'holder.json',
  )
  const options = { recorder: new EventList(), clock: systemClock, random: systemRandom }
  holder = await startHolder({ config, unlock: { kind: 'file', path }, ...options })
  link = new SocketLink(1, { unix: join(folder, 'operator.sock') })
  await until(() => link.isUp)
})
after(async () => {
  link.close()
  await holder.close()
  rmSync(folder, { recursive: true })
})

const ask = async (body: unknown) =>
  (await link.request(body as object, 5_000)) as {
    readonly refused?: string
    readonly detail?: string
    readonly done?: boolean
  }

describe("a slip in an operator's command", () => {
  it('plants no canary where it watches over nothing', async () => {
    for (const context of [
      undefined,
      null,
      'customers',
      { ...place(1), row: '666' },
      { ...place(1), row: [666] },
      { ...place(1), row: { 0: '6' } },
      { ...place(1), row: [] },
      { ...place(1), tenant: undefined },
      { ...place(1), version: '0' },
    ]) {
      const answer = await ask({ op: 'canary', context })
      assert.equal(answer.refused, 'malformed', JSON.stringify(context))
      assert.match(answer.detail ?? '', /a list of key values as texts/)
    }
    assert.equal(holder.core.canaries, 0)
    assert.deepEqual(await ask({ op: 'canary', context: place(1) }), { done: true })
    assert.equal(holder.core.canaries, 1)
  })

  it('does not pass for a thaw: an actor of another name stays frozen', async () => {
    await ask({ op: 'freeze', actor: 'person anne' })
    for (const actor of [
      'person ann',
      'person anne ',
      'service anne',
      'anne',
      '',
      undefined,
      ['person anne'],
    ]) {
      const answer = await ask({ op: 'thaw', actor })
      assert.equal(answer.refused, 'malformed', String(actor))
      assert.match(answer.detail ?? '', /not frozen here|name an actor/)
    }
    assert.deepEqual([...holder.core.frozen.keys()], ['person anne'])
    assert.deepEqual(await ask({ op: 'thaw', actor: 'person anne' }), { done: true })
    assert.equal(holder.core.frozen.size, 0)
  })

  it('is answered with what went wrong, not with a lost connection', async () => {
    const existing = join(folder, 'existing.db')
    writeFileSync(existing, 'something else')
    for (const [path, reason] of [
      [existing, /already exists/],
      [join(folder, 'holder.db'), /already exists/],
      [join(folder, 'missing', 'backup.db'), /missing/],
    ] as const) {
      const answer = await ask({ op: 'backup', path })
      assert.equal(answer.refused, 'failed', path)
      assert.match(answer.detail ?? '', reason)
    }
    assert.equal(readFileSync(existing, 'utf8'), 'something else')
    assert.equal(existsSync(join(folder, 'missing')), false)
    const given = await ask({ op: 'epoch.begin', epoch: 0 })
    assert.equal(given.refused, 'failed')
    assert.match(given.detail ?? '', /is not configured as a peer/)
    assert.ok(link.isUp)
  })
})
