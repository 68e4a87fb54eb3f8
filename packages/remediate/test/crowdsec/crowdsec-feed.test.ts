import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { VirtualClock } from '@postern/core'
import { CrowdsecFeed } from '../../src/crowdsec/crowdsec-feed.ts'
import { RemediationStore } from '../../src/remediation-store.ts'

type Answer = () => Response | Promise<Response>

const decision = (value: string): object => ({
  id: 1,
  origin: 'crowdsec',
  scenario: 'ssh-bf',
  scope: 'Ip',
  value,
  type: 'ban',
  duration: '1h',
})
const deltaOf = (added: readonly object[], deleted: readonly object[] = []): Response =>
  Response.json({ new: added, deleted })

/** A feed over answers given in order; the last one is given again. */
async function feedOf(t: TestContext, ...answers: readonly Answer[]) {
  const asked: string[] = []
  const errors: unknown[] = []
  const store = await RemediationStore.open({ clock: new VirtualClock() })
  const feed = new CrowdsecFeed({
    url: 'http://crowdsec.example:8080/lapi',
    key: 'key-of-a-bouncer',
    store,
    clock: new VirtualClock(),
    onError: error => errors.push(error),
    fetch: (async (input: string | URL | Request) => {
      asked.push(String(input))
      return (answers[asked.length - 1] ?? answers.at(-1))?.() ?? Response.error()
    }) as typeof fetch,
  })
  t.after(async () => {
    feed.close()
    await store.close()
  })
  return { feed, store, asked, errors }
}

describe('a CrowdSec feed', () => {
  test('asks for everything first, below the path of its URL, and for changes from then on', async t => {
    const { feed, store, asked } = await feedOf(
      t,
      () => deltaOf([decision('192.0.2.1'), decision('192.0.2.2')]),
      () => deltaOf([], [decision('192.0.2.1')]),
    )
    assert.deepEqual(
      [feed.health().ok, feed.health().required, feed.health().detail],
      [false, false, 'not read yet'],
    )
    await feed.read()
    assert.deepEqual([feed.health().ok, feed.health().detail], [true, '2 decisions taken'])
    await feed.read()
    assert.deepEqual(asked, [
      'http://crowdsec.example:8080/lapi/v1/decisions/stream?startup=true&scopes=ip,range',
      'http://crowdsec.example:8080/lapi/v1/decisions/stream?startup=false&scopes=ip,range',
    ])
    assert.deepEqual(
      store.list().map(({ actor }) => actor.value),
      ['192.0.2.2'],
    )
  })

  test('that fails first asks for everything again', async t => {
    const { feed, asked } = await feedOf(
      t,
      () => new Response('', { status: 502 }),
      () => deltaOf([]),
    )
    await assert.rejects(feed.read(), /answers 502/)
    await feed.read()
    assert.deepEqual(
      asked.map(url => url.includes('startup=true')),
      [true, true],
    )
  })

  test('waits longer after each failure, says what failed, and recovers', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let isDown = true
    const { feed, asked, errors } = await feedOf(t, () =>
      isDown ? new Response('', { status: 403 }) : deltaOf([]),
    )
    // Each round ends with the timer of the next; there is no event to wait for between the two.
    const settled = (): Promise<void> => new Promise(resolve => setImmediate(() => setImmediate(resolve)))
    await feed.start()
    assert.equal(
      feed.health().detail,
      '0 decisions taken, 1 failures in a row: crowdsec crowdsec.example:8080: refuses the key',
    )
    t.mock.timers.tick(19_999)
    await settled()
    assert.equal(asked.length, 1, 'twice the usual 10 seconds')
    t.mock.timers.tick(1)
    await settled()
    assert.deepEqual([asked.length, errors.length], [2, 2])
    t.mock.timers.tick(39_999)
    await settled()
    assert.equal(asked.length, 2, 'four times')
    isDown = false
    t.mock.timers.tick(1)
    await settled()
    assert.deepEqual([feed.health().ok, asked.length], [true, 3])
    t.mock.timers.tick(10_000)
    await settled()
    assert.equal(asked.length, 4, 'the usual pause again')
  })

  test('asks no more once it is closed', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { feed, asked, errors } = await feedOf(t, () => deltaOf([]))
    await feed.start()
    feed.close()
    t.mock.timers.tick(120_000)
    assert.deepEqual([asked.length, errors.length], [1, 0])
  })

  test('an answer that breaks off, or never ends, is an error of the store', async t => {
    const broken = (): Response =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode('{"new":['))
            controller.error(new TypeError('terminated'))
          },
        }),
      )
    const part = new Uint8Array(1_048_576)
    let parts = 0
    const endless = (): Response =>
      new Response(
        new ReadableStream({
          pull(controller) {
            parts++
            controller.enqueue(part)
          },
        }),
      )
    const { feed } = await feedOf(t, broken, endless)
    await assert.rejects(feed.read(), {
      code: 'POSTERN_STORE',
      retryable: true,
      message: /ended its answer early/,
    })
    await assert.rejects(feed.read(), {
      code: 'POSTERN_STORE',
      retryable: false,
      message: /more than 64 MiB/,
    })
    assert.ok(parts < 70, `${parts} MiB were read`)
  })

  test('lists that are missing are empty ones', async t => {
    const { feed, store } = await feedOf(t, () => Response.json({ new: null, deleted: null }))
    await feed.read()
    assert.deepEqual([store.list(), feed.health().ok], [[], true])
  })
})
