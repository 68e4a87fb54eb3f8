import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { generateNoteKey } from '@postern/audit'
import { ConfigError, type Event, VirtualClock } from '@postern/core'
import { connectPostgres } from '@postern/store'
import { services } from '../../../test/services.ts'
import { until } from '../../../test/until.ts'
import { startBackend } from '../../cli/test/backend.ts'
import { cli } from '../../cli/test/cli.ts'
import { AuditPublishing } from '../../runtime/src/audit/audit-publishing.ts'
import { type Config, type Postern, postern } from '../src/index.ts'

const folders: string[] = []
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-audit-config-'))
  folders.push(folder)
  return folder
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

async function withLayer(
  config: Config,
  work: (layer: Postern, folder: string) => Promise<void>,
  folder: string = newFolder(),
): Promise<void> {
  const layer = await postern({ folder, config })
  try {
    await work(layer, folder)
  } finally {
    await layer.close()
  }
}

const event = (time: number, principal: string): Event => ({
  type: 'login.failed',
  time,
  actor: { principal },
})

/** Looks again until it holds, for a minute at most. */
describe('the log as it is configured', { timeout: 120_000 }, () => {
  test('is sent to a webhook, signed, from where it stopped', async () => {
    const secret = Buffer.alloc(32, 7).toString('base64')
    const bodies: string[] = []
    const collector = await startBackend((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8')
        const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': given } = request.headers
        const signature = createHmac('sha256', Buffer.alloc(32, 7))
          .update(`${String(id)}.${String(time)}.${body}`)
          .digest('base64')
        assert.equal(given, `v1,${signature}`)
        bodies.push(body)
        response.end()
      })
    })
    const folder = newFolder()
    writeFileSync(join(folder, 'webhook.secret'), `${secret}\n`, { mode: 0o600 })
    const config: Config = { audit: { ship: [{ webhook: collector.url, secretFile: 'webhook.secret' }] } }
    try {
      for (const principal of ['alice', 'bob'])
        await withLayer(
          config,
          async ({ audit }) => {
            await audit?.append(event(Date.now(), principal))
            await until(() => bodies.join('').includes(`"${principal}"`))
          },
          folder,
        )
      assert.equal(bodies.join('').split('"alice"').length, 2)
    } finally {
      await collector.close()
    }
  })

  test('is sent over syslog as CEF', async () => {
    let heard = ''
    const collector = createTcpServer(socket => {
      socket.on('data', chunk => {
        heard += chunk.toString()
      })
      socket.on('error', () => {})
    })
    await new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve))
    const { port } = collector.address() as AddressInfo
    try {
      await withLayer({ audit: { ship: [{ syslog: `tcp://127.0.0.1:${port}` }] } }, async ({ audit }) => {
        await audit?.append(event(Date.now(), 'alice'))
        await until(() => /<109|<110>1 /.test(heard) && heard.includes('CEF:0'))
      })
    } finally {
      collector.close()
    }
  })

  test('goes on while collector and anchor are dead, and readiness says so', async () => {
    const dead = await startBackend()
    await dead.close()
    const anchor = await startBackend((request, response) => {
      response.statusCode = request.method === 'GET' ? 404 : 503
      response.end()
    })
    const audit: Config['audit'] = {
      ship: [{ webhook: dead.url, secret: Buffer.alloc(32, 7).toString('base64') }],
      anchors: [{ url: anchor.url }],
    }
    try {
      await withLayer({ audit }, async layer => {
        await layer.audit?.append(event(Date.now(), 'alice'))
        const trouble = (name: string): string =>
          layer.health().find(part => part.name.startsWith(name) && !part.ok && !part.required)?.detail ?? ''
        await until(() => trouble('audit sink') !== '' && trouble('audit anchors') !== '')
        assert.match(trouble('audit sink'), /cannot be reached; waits at entry 0/)
        assert.match(trouble('audit anchors'), /answered 503/)
        const handle = layer.fetch(() => new Response('ok'), { peer: () => '203.0.113.9' })
        assert.equal((await handle(new Request('http://shop.example/'))).status, 200)
      })
    } finally {
      await anchor.close()
    }
  })

  test('tells of a dead anchor once, not with every checkpoint that the telling makes', () => {
    const clock = new VirtualClock()
    const told: unknown[] = []
    const outside = new AuditPublishing(error => told.push(error), clock)
    for (let size = 10; size < 20; size++)
      outside.failed(new Error(`anchor: saw ${size}, and answered nothing`))
    outside.failed(new Error('witness: does not answer'))
    assert.equal(told.length, 2)
    assert.equal(outside.health().ok, false)
    clock.advance(3_600_000)
    outside.failed(new Error('witness: does not answer'))
    assert.equal(told.length, 3)
  })

  test('stops no instance from being ready when it is not required', () =>
    withLayer({ audit: { required: false } }, async layer => {
      const part = layer.health().find(({ name }) => name.startsWith('audit'))
      assert.equal(part?.required, false)
    }))

  test('leaves its checkpoints in an anchor', async () => {
    const folder = newFolder()
    await withLayer(
      { audit: { origin: 'shop.example/audit', anchors: [{ file: 'anchor' }] } },
      async ({ audit }) => {
        await audit?.append(event(Date.now(), 'alice'))
        await audit?.checkpoint()
      },
      folder,
    )
    assert.match(readFileSync(join(folder, 'anchor'), 'utf8'), /^shop\.example\/audit\n1\n/m)
  })

  test('forgets entries that are older than its retention, and still verifies', async () => {
    const folder = newFolder()
    await withLayer(
      {},
      async ({ audit }) => {
        const old = Date.now() - 100 * 86_400_000
        await Promise.all(Array.from({ length: 600 }, (_, i) => audit?.append(event(old + i, 'alice'))))
      },
      folder,
    )
    await withLayer(
      { audit: { retention: '90d' } },
      async ({ engine }) => {
        const pruned = await new Promise<Event>(resolve =>
          engine.listen(seen => {
            if (seen.type === 'audit.pruned') resolve(seen)
          }),
        )
        assert.deepEqual(pruned.data, { bundles: 1, minimumIndex: 256 })
      },
      folder,
    )
    assert.equal((await cli(['audit', 'verify'], folder)).code, 0)
  })

  test('forgets who was nobody in particular after the configured time, and keeps every proof', async () => {
    const folder = newFolder()
    const [old, now] = [Date.now() - 100 * 86_400_000, Date.now()]
    const found = async ({ audit }: Postern): Promise<readonly number[]> => {
      const times: number[] = []
      for await (const { event } of audit?.query({ address: '192.0.2.7', order: 'oldest' }) ?? [])
        times.push(event.time)
      return times
    }
    const enter = async ({ audit }: Postern, time: number): Promise<void> => {
      await audit?.append({ type: 'login.failed', time, actor: { address: '192.0.2.7' } })
    }
    await withLayer(
      {},
      async layer => {
        await enter(layer, old)
        assert.deepEqual(await found(layer), [old])
      },
      folder,
    )
    await withLayer(
      { audit: { forgetAnonymousAfter: '30d' } },
      async layer => {
        await enter(layer, now)
        await until(async () => String(await found(layer)) === String([now]))
      },
      folder,
    )
    assert.equal((await cli(['audit', 'verify'], folder)).code, 0)
  })

  test('cannot be sent to a collector whose secret is nowhere', async () => {
    for (const [ship, problem] of [
      [{ webhook: 'https://siem.example' }, /needs secretFile or secret/],
      [
        { webhook: 'https://siem.example', secret: 'c2hvcnQ=' },
        /audit\.ship\[0\]\.secret: has fewer than 24 bytes/,
      ],
      [
        { webhook: 'http://siem.example', secret: 'A'.repeat(44) },
        /audit\.ship\[0\]\.webhook: sends entries to another machine without encryption/,
      ],
      [{ webhook: 'https://siem.example', secretFile: 'absent' }, /absent does not exist/],
      [{ syslog: 'udp://siem.example:514' }, /tls:\/\/collector\.example\.com:6514/],
    ] as const)
      await assert.rejects(
        withLayer({ audit: { ship: [ship] } }, async () => {}),
        (error: unknown) => error instanceof ConfigError && problem.test(error.message),
      )
  })
})

describe('a log in PostgreSQL', { timeout: 120_000 }, () => {
  test('is one for all instances, and every command reads it', async () => {
    const folder = newFolder()
    const origin = `shop.example/${process.pid}`
    const made = await cli(['audit', 'key', origin, '--json'], folder)
    const { signerKey } = JSON.parse(made.stdout) as { readonly signerKey: string }
    const database = await newDatabase()
    const environment = { AUDIT_KEY: signerKey, DATABASE: database }
    writeFileSync(
      join(folder, 'postern.config.yaml'),
      `stores: { postgres: "\${DATABASE}" }\naudit: { store: postgres, origin: ${origin}, signerKeys: ["\${AUDIT_KEY}"] }\n`,
    )
    const config: Config = {
      stores: { postgres: database },
      audit: { store: 'postgres', origin, signerKeys: [signerKey] },
    }
    await withLayer(config, one =>
      withLayer(config, async two => {
        await one.audit?.append(event(Date.now(), 'alice'))
        await two.audit?.append(event(Date.now(), 'bob'))
      }),
    )
    const found = await cli(['audit', 'search', '--type', 'login.failed', '--json'], folder, environment)
    assert.equal(found.code, 0, found.stderr + found.stdout)
    assert.equal(found.stdout.trim().split('\n').length, 2)
    const tail = await cli(['audit', 'tail', '-n', '1', '--json'], folder, environment)
    assert.match(tail.stdout, /"bob"/)
    const proof = await cli(['audit', 'proof', '0'], folder, environment)
    assert.match(proof.stdout, /^c2sp\.org\/tlog-proof@v1\n/)
    const checkpoint = await cli(['audit', 'checkpoint', '--json'], folder, environment)
    assert.equal((JSON.parse(checkpoint.stdout) as { readonly size: number }).size, 2)
    const verify = await cli(['audit', 'verify'], folder, environment)
    assert.equal(verify.code, 0, verify.stderr + verify.stdout)
    const whole = await cli(['audit', 'export', '--complete', '--json'], folder, environment)
    assert.equal(whole.stdout.trim().split('\n').length, 4)
    assert.equal((await cli(['audit', 'rebuild'], folder, environment)).code, 0)
    assert.match(
      (await cli(['audit', 'prune', '--keep', '1d', '--yes'], folder, environment)).stdout,
      /readable from entry 0 on/,
    )
    const db = connectPostgres({ url: database })
    await db.query("UPDATE audit_entries SET leaf = set_byte(leaf, 30, 65), action = 'x' WHERE idx = 1")
    await db.close()
    const tampered = await cli(['audit', 'verify'], folder, environment)
    assert.equal(tampered.code, 4)
    assert.match(tampered.stdout, /entry 1 is not the one that was logged/)
  })

  test('is sent away once for all instances, anchored and pruned', async () => {
    const folder = newFolder()
    const origin = 'shop.example/shared'
    const { signerKey } = generateNoteKey(origin)
    const bodies: string[] = []
    const collector = await startBackend((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        bodies.push(Buffer.concat(chunks).toString('utf8'))
        response.end()
      })
    })
    const config: Config = {
      stores: { postgres: await newDatabase() },
      audit: {
        store: 'postgres',
        origin,
        signerKeys: [signerKey],
        ship: [{ webhook: collector.url, secret: Buffer.alloc(32, 7).toString('base64') }],
        anchors: [{ file: 'anchor' }],
        retention: '90d',
      },
    }
    const sent = (): readonly number[] =>
      bodies.flatMap(body =>
        body
          .trim()
          .split('\n')
          .map(line => (JSON.parse(line) as { readonly index: number }).index),
      )
    try {
      await withLayer(
        config,
        one =>
          withLayer(
            config,
            async two => {
              const old = Date.now() - 100 * 86_400_000
              for (let i = 0; i < 600; i++) (i % 2 === 0 ? one : two).audit?.record(event(old + i, 'alice'))
              await one.audit?.checkpoint()
              await until(() => sent().length >= 600)
              for (const part of [...one.health(), ...two.health()])
                if (part.name.startsWith('audit')) assert.equal(part.ok, true, part.name)
            },
            folder,
          ),
        folder,
      )
      const pruned: unknown[] = []
      await withLayer(
        config,
        async ({ audit }) => {
          await until(async () => {
            for await (const { event: found } of audit?.query({ type: 'audit.pruned' }) ?? [])
              pruned.push(found.data)
            return pruned.length > 0
          })
        },
        folder,
      )
      assert.deepEqual(pruned[0], { bundles: 1, minimumIndex: 256 })
      const numbers = sent()
      assert.deepEqual(
        numbers,
        Array.from(numbers, (_, i) => i),
      )
      assert.match(readFileSync(join(folder, 'anchor'), 'utf8'), /^shop\.example\/shared\n60\d\n/m)
    } finally {
      await collector.close()
    }
  })

  test('needs a name, keys and an address', async () => {
    const wrong: Config = { audit: { store: 'postgres', retention: '90d' } }
    await assert.rejects(
      withLayer(wrong, async () => {}),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError)
        assert.deepEqual(
          error.issues.map(issue => issue.place),
          ['audit.origin', 'audit.signerKeys'],
        )
        return true
      },
    )
  })
})

let databases = 0

/** A log is alone in its database. */
async function newDatabase(): Promise<string> {
  const { postgres } = await services()
  const name = `audit_${process.pid}_${databases++}`
  const admin = connectPostgres({ url: postgres })
  await admin.query(`CREATE DATABASE ${name}`)
  await admin.close()
  const url = new URL(postgres)
  url.pathname = `/${name}`
  return url.href
}
