import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import {
  ALLOW,
  type Config,
  type Event,
  type Exchange,
  type Guard,
  type Postern,
  type PosternOptions,
  type Principal,
  postern,
} from '../src/index.ts'

const folders: string[] = []
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-identify-'))
  folders.push(folder)
  return folder
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** `Authorization: KIND ID TENANT`, as no real application would have it. */
function identify(exchange: Exchange): Principal | undefined {
  const [kind, id, tenant] = exchange.header('authorization')?.split(' ') ?? []
  if ((kind !== 'user' && kind !== 'apiKey') || id === undefined) return undefined
  return { kind, id, ...(tenant !== undefined && { tenant }) }
}

type Ask = (authorization?: string, path?: string) => Promise<number>

async function withLayer(
  options: PosternOptions,
  work: (ask: Ask, layer: Postern) => Promise<void>,
): Promise<void> {
  const layer = await postern({ folder: newFolder(), ...options })
  const handle = layer.fetch(() => new Response('ok'), { peer: () => '203.0.113.9' })
  const ask: Ask = async (authorization, path = '/') => {
    const headers = authorization === undefined ? {} : { authorization }
    const response = await handle(new Request(`http://shop.example${path}`, { headers }))
    await response.arrayBuffer()
    return response.status
  }
  try {
    await work(ask, layer)
  } finally {
    await layer.close()
  }
}

async function times(count: number, ask: () => Promise<number>): Promise<readonly number[]> {
  const statuses: number[] = []
  for (let i = 0; i < count; i++) statuses.push(await ask())
  return statuses
}

describe('identify', { timeout: 60_000 }, () => {
  for (const [key, one, other] of [
    ['tenant', 'user ada acme', 'user bob globex'],
    ['principal', 'user ada', 'user bob'],
    ['apiKey', 'apiKey k1', 'apiKey k2'],
  ] as const) {
    test(`makes a limit per ${key} count: two of ten requests pass, and those of others do too`, () =>
      withLayer({ identify, config: { limits: { mine: { limit: '2/1m', key } } } }, async ask => {
        assert.deepEqual(await times(10, () => ask(one)), [200, 200, ...Array(8).fill(429)])
        assert.equal(await ask(other), 200)
        assert.equal(await ask(), 200)
      }))
  }

  test('makes a limit of one route per principal count', () =>
    withLayer(
      { identify, config: { routes: { '/export': { throttle: { limit: '1/1m', key: 'principal' } } } } },
      async ask => {
        assert.deepEqual(await times(2, () => ask('user ada', '/export')), [200, 429])
        assert.equal(await ask('user ada'), 200)
      },
    ))

  test('lets a key of the application read the principal, and a promise make the request wait', () =>
    withLayer(
      {
        identify: async exchange => {
          await new Promise(setImmediate)
          return identify(exchange)
        },
        config: { limits: { plan: { limit: '1/1m', key: ({ principal }) => principal.tenant } } },
      },
      async ask => {
        assert.deepEqual(await times(2, () => ask('user ada acme')), [200, 429])
        assert.equal(await ask('user bob'), 200)
      },
    ))

  for (const [actor, hit, spared] of [
    [{ kind: 'principal', value: 'ada' }, 'user ada', 'user bob'],
    [{ kind: 'tenant', value: 'acme' }, 'user bob acme', 'user bob globex'],
    [{ kind: 'key', value: 'k1' }, 'apiKey k1', 'apiKey k2'],
  ] as const) {
    test(`holds a ban on a ${actor.kind}, which anonymous and other clients do not feel`, () =>
      withLayer({ identify }, async (ask, layer) => {
        await layer.remediations.add({ actor, for: '1h', reason: 'test' })
        assert.equal(await ask(hit), 403)
        assert.equal(await ask(spared), 200)
        assert.equal(await ask(), 200)
      }))
  }

  test('is not asked for an address that is banned, nor for one over its limit', async () => {
    let asked = 0
    const counting = (exchange: Exchange): Principal | undefined => {
      asked++
      return identify(exchange)
    }
    const config: Config = { limits: { address: '1/1m' } }
    await withLayer({ identify: counting, config }, async (ask, layer) => {
      assert.deepEqual(await times(3, () => ask('user ada')), [200, 429, 429])
      assert.equal(asked, 1)
      await layer.remediations.add({
        actor: { kind: 'address', value: '203.0.113.9' },
        for: '1h',
        reason: 'x',
      })
      assert.equal(await ask('user ada'), 403)
      assert.equal(asked, 1)
    })
  })

  test('gives every event its principal, so that a scenario can find one', async () => {
    const folder = newFolder()
    writeFileSync(
      join(folder, 'reports.yml'),
      `title: Asks for many reports
name: many-reports
description: Five different reports within ten minutes.
level: medium
correlation:
  type: value_count
  rules: [report]
  group-by: [actor.principal]
  timespan: 10m
  condition: { field: request.path, gte: 5 }
respond: { action: block, for: 15m, silence: 5m }
---
title: A report
name: report
logsource: { category: webserver }
detection:
  report: { cs-uri-stem|startswith: /reports/ }
  condition: report
`,
    )
    const events: Event[] = []
    await withLayer(
      {
        folder,
        identify,
        onEvent: event => void events.push(event),
        config: { scenarios: { folders: ['.'] } },
      },
      async ask => {
        let i = 0
        const statuses = await times(7, () => ask('user mallory acme', `/reports/${i++}`))
        assert.deepEqual(statuses, [200, 200, 200, 200, 200, 403, 403])
        assert.equal(await ask('user ada acme', '/reports/1'), 200)
        assert.deepEqual(events[0]?.actor.principal, 'mallory')
        assert.deepEqual(events[0]?.actor.tenant, 'acme')
        const finding = events.find(({ type }) => type === 'finding')
        assert.deepEqual(
          [finding?.data?.['actorKind'], finding?.data?.['actorValue']],
          ['principal', 'mallory'],
        )
      },
    )
  })

  const failures: readonly (readonly [string, () => unknown])[] = [
    ['throws', () => assert.fail('broken')],
    ['rejects', () => Promise.reject(new Error('broken'))],
    ['never answers', () => new Promise(() => {})],
    ['answers with no principal', () => ({ kind: 'robot', id: 'x' })],
    ['answers with an id that is not text', () => ({ kind: 'user', id: 7 })],
    ['answers with a tenant without end', () => ({ kind: 'user', id: 'x', tenant: 'x'.repeat(10_000) })],
  ]
  for (const [how, fails] of failures) {
    test(`that ${how} leaves the request anonymous, or refuses it where that is configured`, async () => {
      const by = fails as () => Principal | undefined
      await withLayer({ config: { identify: { by, deadline: '20ms' } } }, async ask => {
        assert.equal(await ask('user ada'), 200)
      })
      await withLayer({ config: { identify: { by, deadline: '20ms', onFailure: 'refuse' } } }, async ask => {
        assert.equal(await ask('user ada'), 503)
      })
    })
  }

  test('decides both stages of limits, each as a whole, and gives places in both back', () =>
    withLayer(
      {
        identify,
        config: {
          limits: {
            address: false,
            login: false,
            busy: { limit: '1 at once' },
            mine: { limit: '1 at once', key: 'principal' },
            plenty: { limit: '4/1m', key: 'principal' },
            tight: { limit: '2/1m', key: 'tenant' },
          },
        },
      },
      async (ask, layer) => {
        assert.deepEqual(await times(3, () => ask('user ada acme')), [200, 200, 429])
        // What the second stage refused took nothing of that stage.
        assert.equal((await layer.limits.peek('plenty', 'user:ada'))?.remaining, 2)
        assert.equal((await layer.limits.peek('mine', 'user:ada'))?.remaining, 1)
        assert.equal((await layer.limits.peek('busy', '203.0.113.9'))?.remaining, 1)
      },
    ))

  test('says in one RateLimit header what is left of the limits of both stages', async () => {
    const config: Config = { limits: { busy: false, mine: { limit: '5/1m', key: 'principal' } } }
    const layer = await postern({ folder: newFolder(), identify, config })
    const handle = layer.fetch(() => new Response('ok'), { peer: () => '203.0.113.9' })
    try {
      const headers = { authorization: 'user ada' }
      const response = await handle(new Request('http://shop.example/', { headers }))
      assert.match(response.headers.get('ratelimit') ?? '', /^"address";r=1199;t=\d+, "mine";r=4;t=\d+$/)
    } finally {
      await layer.close()
    }
  })

  test('comes before guards of the application, which come before inspection', async () => {
    const seen: string[] = []
    const own: Guard = {
      name: 'own',
      failure: 'closed',
      decide(exchange) {
        seen.push(exchange.principal.id)
        return ALLOW
      },
    }
    await withLayer({ identify, guards: [own] }, async ask => {
      assert.equal(await ask('user ada', '/?q=%3Cscript%3Ealert(1)%3C/script%3E'), 403)
      assert.deepEqual(seen, ['ada'])
    })
  })

  for (const key of ['tenant', 'principal', 'apiKey'] as const) {
    test(`is asked for by a limit per ${key}: without it nothing could fill the key`, async () => {
      const limits = { mine: { limit: '2/1m', key } } as const
      await assert.rejects(postern({ folder: newFolder(), config: { limits } }), {
        message: new RegExp(`^limits\\.mine\\.key: "${key}" needs identify: `),
      })
      const routes = { '/a': { throttle: { limit: '2/1m', key } } } as const
      await assert.rejects(postern({ folder: newFolder(), config: { routes } }), {
        message: new RegExp(`^routes\\["/a"\\]\\.throttle\\.key: "${key}" needs identify: `),
      })
    })
  }

  test('of the options stands in for that of a file, and a reload keeps it', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'postern.config.yaml'), 'limits: { mine: { limit: 2/1m, key: tenant } }\n')
    await withLayer({ folder, identify }, async (ask, layer) => {
      assert.deepEqual(await times(3, () => ask('user ada acme')), [200, 200, 429])
      await layer.reload()
      assert.equal(await ask('user ada acme'), 429)
    })
  })

  for (const [code, problem] of [
    ["identify: 'me'", /identify: must be /],
    ["guards: [{ name: 'x', decide() {} }]", /guards\[0\]: must be a guard/],
    ["detectors: [{ name: 'x' }]", /detectors\[0\]: must be a detector/],
    ["onEvent: 'log'", /onEvent: must be a function/],
  ] as const) {
    test(`and what else is added in code must be what it says: not ${code}`, async () => {
      const folder = newFolder()
      writeFileSync(join(folder, 'postern.config.mjs'), `export default { ${code} }\n`)
      await assert.rejects(postern({ folder }), { message: problem })
    })
  }
})
