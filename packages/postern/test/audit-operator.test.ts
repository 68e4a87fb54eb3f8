import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, type TestContext, test } from 'node:test'
import { type AuditLog, generateNoteKey } from '@postern/audit'
import { type Event, systemClock } from '@postern/core'
import { connectPostgres, openSqlite } from '@postern/store'
import { freshDatabase } from '../../../test/services.ts'
import { cli } from '../../cli/test/cli.ts'
import { loadConfig } from '../../config/src/load/load-config.ts'
import { accountName } from '../../runtime/src/audit/audit-operator.ts'
import { AuditOutbox } from '../../runtime/src/audit/audit-outbox.ts'
import { Runtime } from '../../runtime/src/runtime.ts'
import { limitCommands } from '../../server/src/admin/limit-commands.ts'
import { type Config, postern } from '../src/index.ts'

const folders: string[] = []
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-operator-'))
  folders.push(folder)
  return folder
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Events of operators in the log, once there are so many; for a minute at most. */
async function acts(log: AuditLog | undefined, count: number): Promise<readonly Event[]> {
  for (const end = performance.now() + 60_000; ; ) {
    const found: Event[] = []
    for await (const { event } of log?.query({ type: 'operator', order: 'oldest' }) ?? []) found.push(event)
    if (found.length >= count) return found
    assert.ok(performance.now() < end, `only ${found.length} acts came`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

const said = (event: Event): unknown => [event.action, event.resource, event.data]

describe('what an operator does on the command line', { timeout: 120_000 }, () => {
  test('is entered by the process that has the log, with the account and without secrets', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'postern.config.yaml'), 'limits: { shop: { limit: 2/1h, overrides: true } }\n')
    const layer = await postern({ folder })
    try {
      const done = async (...args: readonly string[]): Promise<string> => {
        const { code, stdout, stderr } = await cli(args, folder)
        assert.equal(code, 0, stderr)
        return stdout.trim()
      }
      await done('limits', 'set', 'shop', 'acme', '500/1h')
      await done('limits', 'unset', 'shop', 'acme')
      const key = await done('bouncers', 'add', 'edge')
      assert.equal((await cli(['bouncers', 'add', 'edge'], folder)).code, 2)
      await done('bouncers', 'remove', 'edge')
      await done('limits', 'list')
      await done('ban', '192.0.2.9', '--for', '1h', '--reason', 'noise')
      await done('unban', '192.0.2.9')
      await done('audit', 'prune', '--keep', '365d', '--yes')
      const events = await acts(layer.audit, 9)
      assert.deepEqual(events.slice(0, 8).map(said), [
        ['limits.set', { type: 'limit', id: 'shop' }, { key: 'acme', rule: '500/1h' }],
        ['limits.unset', { type: 'limit', id: 'shop' }, { key: 'acme' }],
        ['bouncers.add', { type: 'bouncer', id: 'edge' }, undefined],
        ['bouncers.add', { type: 'bouncer', id: 'edge' }, undefined],
        ['bouncers.add', { type: 'bouncer', id: 'edge' }, { failed: 'ConfigError' }],
        ['bouncers.remove', { type: 'bouncer', id: 'edge' }, undefined],
        ['ban', { type: 'actor' }, { actor: '192.0.2.9', measure: 'block', for: '1h', reason: 'noise' }],
        ['unban', { type: 'actor' }, { actor: '192.0.2.9' }],
      ])
      assert.equal(events[8]?.action, 'audit.prune')
      for (const event of events) assert.equal(event.actor.principal, `operator:${accountName()}`)
      assert.equal(JSON.stringify(events).includes(key), false)
    } finally {
      await layer.close()
    }
  })

  test('waits in the data directory while nobody has the log, and anything else there stops nothing', async () => {
    const folder = newFolder()
    assert.equal((await cli(['bouncers', 'add', 'edge'], folder)).code, 0)
    const database = openSqlite({ path: join(folder, '.postern', 'postern.db') })
    new AuditOutbox(database)
    database.db.exec(`INSERT INTO audit_outbox (event) VALUES ('not JSON'), ('{"type":7}')`)
    database.close()
    assert.equal((await cli(['bouncers', 'remove', 'edge'], folder)).code, 0)
    const layer = await postern({ folder })
    try {
      assert.deepEqual(
        (await acts(layer.audit, 2)).map(({ action }) => action),
        ['bouncers.add', 'bouncers.remove'],
      )
      assert.equal(layer.health().find(({ name }) => name === 'audit outbox')?.ok, true)
    } finally {
      await layer.close()
    }
  })

  test('is not done when it cannot be entered', async () => {
    const folder = newFolder()
    const key = generateNoteKey('shop.example/audit').signerKey
    // Nobody listens there.
    writeFileSync(
      join(folder, 'postern.config.yaml'),
      'stores: { postgres: "postgres://127.0.0.1:1/none" }\n' +
        `audit: { store: postgres, origin: shop.example/audit, signerKeys: ["${key}"] }\n`,
    )
    assert.notEqual((await cli(['bouncers', 'add', 'edge'], folder)).code, 0)
  })

  test('goes straight into a log in PostgreSQL, without a signing step', async (t: TestContext) => {
    const folder = newFolder()
    const url = await freshDatabase(t)
    const origin = 'shop.example/audit'
    const { signerKey } = generateNoteKey(origin)
    const config: Config = {
      stores: { postgres: url },
      audit: { store: 'postgres', origin, signerKeys: [signerKey] },
    }
    writeFileSync(
      join(folder, 'postern.config.yaml'),
      `stores: { postgres: "${url}" }\naudit: { store: postgres, origin: ${origin}, signerKeys: ["${signerKey}"] }\n`,
    )
    assert.equal((await cli(['bouncers', 'add', 'edge'], folder)).code, 0)
    const db = connectPostgres({ url })
    const { rows } = await db.query<{ waiting: string }>('SELECT count(*) AS waiting FROM audit_inbox')
    await db.close()
    assert.equal(Number(rows[0]?.waiting), 1)
    const layer = await postern({ folder, config })
    assert.deepEqual(
      (await acts(layer.audit, 1)).map(({ action }) => action),
      ['bouncers.add'],
    )
    await layer.close()
  })

  test('of the running gateway is entered before it is done', async () => {
    const folder = newFolder()
    const loaded = await loadConfig({ folder, config: {}, environment: {} })
    const layer = await Runtime.open({ loaded, dataDirectory: join(folder, '.postern') })
    const reset = limitCommands(layer)['limits/reset']
    await reset?.({ key: '203.0.113.9', operator: 'alice' })
    const [act] = await acts(layer.resources.audit, 1)
    assert.deepEqual(act === undefined ? undefined : [...(said(act) as unknown[]), act.actor.principal], [
      'limits.reset',
      { type: 'limit' },
      { key: '203.0.113.9' },
      'operator:alice',
    ])
    assert.ok((act?.time ?? 0) <= systemClock.now())
    await layer.close()
    // The log is closed: nothing can be entered any more, so nothing is done.
    await assert.rejects(async () => reset?.({ key: '203.0.113.9' }))
  })
})
