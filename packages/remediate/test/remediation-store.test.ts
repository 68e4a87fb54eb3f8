import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Event, type Finding, type Remediation, StoreError, VirtualClock } from '@postern/core'
import fc from 'fast-check'
import { formatActor, parseActor } from '../src/actor-text.ts'
import { NetworkIndex } from '../src/network-index.ts'
import { RemediationStore } from '../src/remediation-store.ts'
import {
  memoryRemediations,
  type RemediationTable,
  readRemediation,
  type TableChange,
  writeRemediation,
} from '../src/remediation-table.ts'
import { exchangeFrom } from './support.ts'

const finding = (value: string, change: Partial<Finding> = {}): Finding => ({
  scenario: 'http-probing',
  title: 'Probing',
  severity: 'medium',
  actor: { kind: 'address', value },
  count: 10,
  requests: [],
  respond: { measure: 'block', duration: 60_000 },
  ...change,
})

describe('remediation store', () => {
  test('applies a remediation to an address until it expires', async () => {
    const clock = new VirtualClock()
    const store = await RemediationStore.open({ clock })
    await store.add({ actor: parseActor('192.0.2.7'), for: '10m', reason: 'test' })
    assert.equal(store.find(exchangeFrom('192.0.2.7'))?.measure, 'block')
    assert.equal(store.find(exchangeFrom('::ffff:192.0.2.7'))?.measure, 'block')
    assert.equal(store.find(exchangeFrom('192.0.2.8')), undefined)
    clock.advance(600_000)
    assert.equal(store.find(exchangeFrom('192.0.2.7')), undefined)
    store.sweep()
    assert.equal(store.list().length, 0)
    await store.close()
  })

  test('the strongest remediation wins, over every actor of the exchange', async () => {
    const store = await RemediationStore.open()
    await store.add({ actor: parseActor('192.0.2.7'), measure: 'throttle', for: '2h', reason: 'a' })
    await store.add({ actor: parseActor('192.0.2.0/24'), measure: 'challenge', for: '1h', reason: 'b' })
    const exchange = exchangeFrom('192.0.2.7')
    assert.equal(store.find(exchange)?.measure, 'challenge')
    exchange.principal = { kind: 'apiKey', id: 'k1', tenant: 'acme' }
    await store.add({ actor: parseActor('tenant:acme'), for: '1h', reason: 'c' })
    assert.equal(store.find(exchange)?.actor.kind, 'tenant')
    assert.deepEqual(
      store.why(store.actorsOf(exchange)).map(remediation => remediation.measure),
      ['block', 'challenge', 'throttle'],
    )
    await store.remove(parseActor('tenant:acme'))
    await store.add({ actor: parseActor('key:k1'), for: '1h', reason: 'd' })
    assert.equal(store.find(exchange)?.actor.kind, 'key')
    await store.close()
  })

  test('never hits loopback, a trusted proxy, an operator, or a network that holds one', async () => {
    const store = await RemediationStore.open({
      protect: { addresses: ['10.0.0.5', '2001:db8:1::/48'], principals: ['root'] },
    })
    for (const actor of [
      '127.0.0.1',
      '::1',
      '10.0.0.5',
      '10.0.0.0/8',
      '0.0.0.0/0',
      '::/0',
      '0.0.0.0',
      '2001:db8:1:2::7',
      'principal:root',
    ]) {
      await assert.rejects(store.add({ actor: parseActor(actor), for: '1h', reason: 'x' }), {
        code: 'POSTERN_CONFIG',
      })
      assert.equal(store.apply(finding('', { actor: parseActor(actor) })), undefined, actor)
    }
    assert.equal(store.list().length, 0)
    await store.close()
  })

  test('a protected address passes even when another process stored a ban that covers it', async () => {
    const now = Date.now()
    const stored = {
      id: 'x',
      actor: { kind: 'network', value: '10.0.0.0/24' },
      measure: 'block',
      reason: '',
      origin: 'manual',
      createdAt: now,
      expiresAt: now + 60_000,
    } as const
    const store = await RemediationStore.open({
      table: { ...memoryRemediations(), load: async () => [stored] },
      protect: { addresses: ['10.0.0.5'] },
    })
    assert.equal(store.find(exchangeFrom('10.0.0.5')), undefined)
    await store.close()
  })

  test('refuses a remediation without an end, or beyond the longest duration', async () => {
    const store = await RemediationStore.open({ longest: '30d' })
    for (const length of ['0s', '31d', Number.POSITIVE_INFINITY])
      await assert.rejects(store.add({ actor: parseActor('192.0.2.7'), for: length, reason: '' }), {
        code: 'POSTERN_CONFIG',
      })
    await store.close()
  })

  test('a scenario that fires again prolongs its remediation and never shortens it', async () => {
    const clock = new VirtualClock()
    const store = await RemediationStore.open({ clock })
    const first = store.apply(finding('192.0.2.7'))
    clock.advance(30_000)
    const second = store.apply(finding('192.0.2.7'))
    assert.equal(second?.id, first?.id)
    assert.equal((second?.expiresAt ?? 0) - (first?.expiresAt ?? 0), 30_000)
    const shorter = store.apply(finding('192.0.2.7', { respond: { measure: 'block', duration: 1_000 } }))
    assert.equal(shorter?.expiresAt, second?.expiresAt)
    assert.equal(store.list().length, 1)
    await store.close()
  })

  test('holds an IPv6 client by its /56, unless that would hit a protected neighbour', async () => {
    const store = await RemediationStore.open({ protect: { addresses: ['2001:db8:2::1'] } })
    assert.equal(store.apply(finding('2001:db8:1:22::7'))?.actor.value, '2001:db8:1::/56')
    assert.notEqual(store.find(exchangeFrom('2001:db8:1:33::8')), undefined)
    assert.equal(store.apply(finding('2001:db8:2:22::7'))?.actor.value, '2001:db8:2:22::7')
    await store.close()
  })

  test('a finding whose actor is not an address is recorded, not thrown', async () => {
    const store = await RemediationStore.open()
    assert.equal(store.apply(finding('not an address')), undefined)
    assert.equal(store.apply(finding('192.0.2.7', { actor: { kind: 'principal', value: '' } })), undefined)
    await store.close()
  })

  test('tells of what it adds and removes, as events', async () => {
    const events: Event[] = []
    const store = await RemediationStore.open({ emit: event => events.push(event) })
    const added = await store.add({ actor: parseActor('principal:mallory'), for: '1h', reason: 'why' })
    await store.remove(added.id)
    assert.deepEqual(
      events.map(event => [event.type, event.actor.principal, event.data?.['reason']]),
      [
        ['remediation.added', 'mallory', 'why'],
        ['remediation.removed', 'mallory', 'why'],
      ],
    )
    await store.close()
  })

  test('a flood of findings never pushes out what a person banned', async () => {
    const store = await RemediationStore.open({ capacity: 100 })
    await store.add({ actor: parseActor('203.0.113.9'), for: '10m', reason: 'by hand' })
    for (let i = 0; i < 1_000; i++) store.apply(finding(`10.${i >> 8}.${i & 255}.1`))
    assert.ok(store.list().length <= 100)
    assert.notEqual(store.find(exchangeFrom('203.0.113.9')), undefined)
    assert.match(store.health().detail ?? '', /evicted/)
    await store.close()
  })

  test('a remediation that cannot be stored is in force here and is stored later', async () => {
    let isDown = true
    const stored: string[] = []
    const errors: unknown[] = []
    const table = memoryRemediations()
    const store = await RemediationStore.open({
      onError: error => errors.push(error),
      table: {
        ...table,
        put: async remediation => {
          if (isDown) throw new StoreError('down', { store: 'test', retryable: true })
          stored.push(remediation.actor.value)
        },
      },
    })
    store.apply(finding('192.0.2.7'))
    await store.flush()
    assert.equal(store.health().ok, false)
    assert.equal(errors.length, 1)
    assert.notEqual(store.find(exchangeFrom('192.0.2.7')), undefined)
    await assert.rejects(store.add({ actor: parseActor('192.0.2.8'), for: '1h', reason: '' }), {
      code: 'POSTERN_STORE',
    })
    isDown = false
    await store.flush()
    assert.deepEqual(stored, ['192.0.2.7'])
    assert.equal(store.health().ok, true)
    await store.close()
  })

  test('a finding that asks for nothing sets nothing', async () => {
    const store = await RemediationStore.open()
    const { respond: _, ...alert } = finding('192.0.2.7')
    assert.equal(store.apply(alert), undefined)
    assert.equal(store.list().length, 0)
    await store.close()
  })

  test('a scenario that fires twice at once is reported and stored once', async () => {
    const clock = new VirtualClock()
    const events: Event[] = []
    let puts = 0
    const store = await RemediationStore.open({
      clock,
      emit: event => events.push(event),
      table: {
        ...memoryRemediations(),
        put: async () => {
          puts++
        },
      },
    })
    const first = store.apply(finding('192.0.2.7'))
    assert.equal(store.apply(finding('192.0.2.7')), first)
    await store.flush()
    assert.deepEqual([events.length, puts], [1, 1])
    await store.close()
  })

  test('lifting an id that nobody has lifts nothing', async () => {
    const store = await RemediationStore.open()
    assert.deepEqual(await store.remove('no-such-id'), [])
    assert.deepEqual(await store.remove(parseActor('192.0.2.7')), [])
    await store.close()
  })

  test('a protected principal passes even when another process stored a ban on it', async () => {
    const now = Date.now()
    const stored = (kind: 'principal' | 'tenant', value: string) =>
      ({
        id: value,
        actor: { kind, value },
        measure: 'block',
        reason: '',
        origin: 'manual',
        createdAt: now,
        expiresAt: now + 60_000,
      }) as const
    const store = await RemediationStore.open({
      table: {
        ...memoryRemediations(),
        load: async () => [stored('principal', 'mallory'), stored('principal', 'root')],
      },
    })
    const asked = (id: string): string | undefined => {
      const exchange = exchangeFrom('192.0.2.7')
      exchange.principal = { kind: 'user', id }
      return store.find(exchange)?.id
    }
    assert.deepEqual([asked('root'), asked('mallory'), asked('ann')], ['root', 'mallory', undefined])
    store.protect({ principals: ['root'] })
    assert.deepEqual([asked('root'), asked('mallory')], [undefined, 'mallory'])
    await store.close()
  })

  test('one that was lifted while it waited to be stored is not stored later', async () => {
    let isDown = true
    const stored: string[] = []
    const store = await RemediationStore.open({
      table: {
        ...memoryRemediations(),
        put: async remediation => {
          if (isDown) throw new StoreError('down', { store: 'test', retryable: true })
          stored.push(remediation.actor.value)
        },
      },
    })
    store.apply(finding('192.0.2.7'))
    store.apply(finding('192.0.2.8'))
    await store.flush()
    assert.match(store.health().detail ?? '', /2 in force, 2 not stored yet/)
    await store.remove(parseActor('192.0.2.7'))
    isDown = false
    await store.flush()
    assert.deepEqual(stored, ['192.0.2.8'])
    assert.match(store.health().detail ?? '', /1 in force, 0 not stored yet/)
    await store.close()
  })

  test('what expired is reported each second, and nothing once the store is closed', async t => {
    t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    const clock = new VirtualClock()
    const store = await RemediationStore.open({ clock })
    const heard: string[] = []
    store.listen(({ kind, cause }) => heard.push(`${kind} ${cause}`))
    await store.add({ actor: parseActor('192.0.2.7'), for: '1s', reason: '' })
    await store.add({ actor: parseActor('192.0.2.8'), for: '2s', reason: '' })
    clock.advance(1_000)
    t.mock.timers.tick(1_000)
    assert.deepEqual(heard, ['added here', 'added here', 'removed ended'])
    await store.close()
    clock.advance(60_000)
    t.mock.timers.tick(60_000)
    assert.equal(heard.length, 3)
  })

  test('closing waits for what is not stored yet, and for its table', async () => {
    const done: string[] = []
    const store = await RemediationStore.open({
      table: {
        ...memoryRemediations(),
        put: async ({ actor }) => {
          await null
          done.push(actor.value)
        },
        close: async () => {
          done.push('closed')
        },
      },
    })
    store.apply(finding('192.0.2.7'))
    store.apply(finding('192.0.2.8'))
    await store.close()
    assert.deepEqual(done, ['192.0.2.7', '192.0.2.8', 'closed'])
  })

  test('a table that is away at the start is tried each second, and said once', async t => {
    t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    let isDown = true
    const events: string[] = []
    const table = {
      ...memoryRemediations(),
      load: async () => {
        if (isDown) throw new StoreError('away', { store: 'test', retryable: true })
        return []
      },
    }
    await assert.rejects(RemediationStore.open({ table }), { code: 'POSTERN_STORE' })
    const store = await RemediationStore.open({
      table,
      whenAway: 'start',
      emit: ({ type }) => events.push(type),
    })
    assert.match(store.health().detail ?? '', /not read yet \(.*away\)/)
    const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
    t.mock.timers.tick(1_000)
    await settled()
    assert.deepEqual(events, ['store.away'])
    isDown = false
    t.mock.timers.tick(1_000)
    await settled()
    assert.deepEqual(events, ['store.away', 'store.back'])
    assert.equal(store.health().ok, true)
    await store.close()
  })

  test('a table that fails again after it was watched is not watched twice', async t => {
    t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    let [loads, watches] = [0, 0]
    const table = {
      ...memoryRemediations(),
      load: async () => {
        // Read once to begin with, then away for the two readings behind the watch.
        if (++loads === 2 || loads === 3) throw new StoreError('away', { store: 'test', retryable: true })
        return []
      },
      watch: async () => {
        watches++
      },
    }
    const store = await RemediationStore.open({ table, whenAway: 'start' })
    for (let second = 0; second < 3; second++) {
      t.mock.timers.tick(1_000)
      await new Promise(resolve => setImmediate(resolve))
    }
    assert.equal(store.health().ok, true)
    assert.ok(loads > 3)
    assert.equal(watches, 1)
    await store.close()
  })

  test('what changes elsewhere while the table is read is not undone by what was read', async () => {
    const clock = new VirtualClock()
    const ban = (id: string, address: string): Remediation => ({
      id,
      actor: parseActor(address),
      measure: 'block',
      reason: '',
      origin: 'manual',
      createdAt: clock.now() - 5,
      expiresAt: clock.now() + 60_000,
    })
    const lifted = ban('lifted', '192.0.2.1')
    const fresh = ban('fresh', '192.0.2.2')
    let changed: (change: TableChange) => void = () => {}
    let during: () => void = () => {}
    const table: RemediationTable = {
      ...memoryRemediations(),
      name: 'shared',
      load: async () => {
        during()
        return [lifted]
      },
      watch: async call => {
        changed = call
      },
    }
    const store = await RemediationStore.open({ table, clock })
    assert.ok(store.find(exchangeFrom('192.0.2.1')))
    during = () => {
      changed({ kind: 'removed', id: 'lifted' })
      changed({ kind: 'put', remediation: fresh })
    }
    await store.reload()
    assert.equal(store.find(exchangeFrom('192.0.2.1')), undefined)
    assert.ok(store.find(exchangeFrom('192.0.2.2')))
    await store.close()
  })

  test('an adopted ban is lifted by its id only by who brought it, and leaves what is stored alone', async () => {
    const clock = new VirtualClock()
    const store = await RemediationStore.open({ clock })
    const own = await store.add({ actor: parseActor('192.0.2.1'), for: '1h', reason: '' })
    const adopted = { ...own, id: 'theirs', actor: parseActor('192.0.2.2') }
    const ended = { ...own, id: 'ended', expiresAt: clock.now() - 1 }
    const loopback = { ...own, id: 'loopback', actor: parseActor('127.0.0.1') }
    assert.equal(store.adopt([adopted, ended, loopback]), 1)
    await store.reload()
    store.disown([own.id, 'theirs', 'ended'])
    assert.deepEqual(
      store.list().map(({ id }) => id),
      [own.id],
    )
    await store.close()
  })
})

describe('a stored row', () => {
  const row = {
    id: 'a',
    kind: 'address',
    value: '192.0.2.7',
    measure: 'block',
    reason: '',
    origin: 'manual',
    createdAt: 1,
    expiresAt: '2',
  }

  test('is read as the remediation that it was', () => {
    for (const kind of ['address', 'network', 'principal', 'tenant', 'device', 'key'])
      for (const measure of ['block', 'throttle', 'challenge']) {
        const read = readRemediation({ ...row, kind, measure })
        assert.ok(read !== undefined)
        assert.deepEqual(writeRemediation(read), { ...row, kind, measure, expiresAt: 2 })
      }
  })

  test('that is invalid in any part is nothing', () => {
    for (const invalid of [
      null,
      undefined,
      7,
      'text',
      {},
      ...Object.keys(row).map(key => ({ ...row, [key]: undefined })),
      { ...row, value: 'x'.repeat(1_025) },
      { ...row, createdAt: 'soon' },
      { ...row, expiresAt: Number.POSITIVE_INFINITY },
      { ...row, measure: 'explode' },
      { ...row, kind: 'country' },
    ])
      assert.equal(readRemediation(invalid), undefined, JSON.stringify(invalid))
    assert.notEqual(readRemediation({ ...row, value: 'x'.repeat(1_024) }), undefined)
  })
})

describe('actors as text', () => {
  test('are read back as they were written', () => {
    for (const text of [
      '192.0.2.7',
      '10.0.0.0/8',
      '2001:db8::/32',
      'principal:a:b',
      'tenant:acme',
      'key:1',
      'device:x',
    ])
      assert.equal(formatActor(parseActor(text)), text)
    assert.equal(formatActor(parseActor('2001:DB8:0::7/128')), '2001:db8::7')
  })
  test('invalid requests are refused with a place', () => {
    for (const text of ['', 'x', 'principal:', '10.0.0.1/8', '10.0.0.0/99', '300.1.1.1', 'colour:red'])
      assert.throws(() => parseActor(text), { code: 'POSTERN_CONFIG' })
  })
})

describe('networks by address', () => {
  test('finds exactly the networks that hold the address', () => {
    const byte = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.tuple(byte, byte, byte, byte), fc.integer({ min: 1, max: 32 })), {
          maxLength: 20,
        }),
        fc.tuple(byte, byte, byte, byte),
        (networks, address) => {
          const index = new NetworkIndex<string>()
          const asNumber = (bytes: readonly number[]): number =>
            bytes.reduce((sum, part) => sum * 256 + part, 0)
          const wanted = new Set<string>()
          for (const [bytes, bits] of networks) {
            const size = 2 ** (32 - bits)
            const base = Math.floor(asNumber(bytes) / size) * size
            const text = `${[24, 16, 8, 0].map(shift => Math.floor(base / 2 ** shift) % 256).join('.')}/${bits}`
            index.set(text, text)
            if (Math.floor(asNumber(address) / size) * size === base) wanted.add(text)
          }
          const found = new Set<string>()
          index.each(address.join('.'), value => found.add(value))
          assert.deepEqual(found, wanted)
          for (const text of wanted) index.delete(text)
          index.each(address.join('.'), () => assert.fail('deleted'))
        },
      ),
    )
  })
})
