import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { type Address, StoreError, VirtualClock } from '@postern/core'
import { MAIL_COUNTS, type MailCount } from '../src/mail/mail-counts.ts'
import type { Mail } from '../src/mail/mailer.ts'
import { Postman } from '../src/mail/postman.ts'
import type { RecordStore } from '../src/records/record-store.ts'
import { sharedRecords } from '../src/records/shared-records.ts'
import { address, STORES } from './support.ts'

const EVE = address('203.0.113.9')
const ANN = address('198.51.100.7')

function office(
  send: (mail: Mail) => Promise<void> = async () => undefined,
  counts?: RecordStore<MailCount>,
) {
  const clock = new VirtualClock()
  const sent: string[] = []
  const errors: string[] = []
  let works = 0
  const postman = new Postman({
    mailer: {
      send: async mail => {
        sent.push(mail.to)
        await send(mail)
      },
    },
    clock,
    onError: error => errors.push(String(error)),
    ...(counts !== undefined && { counts }),
  })
  const ask = (to: string, by: Address): void =>
    postman.later({ to, by }, async () => {
      works++
      return { to, subject: 's', text: 't' }
    })
  return { clock, sent, errors, postman, ask, works: () => works }
}

/** Asks for mails to different addresses, one after the other. */
async function askFor(
  of: ReturnType<typeof office>,
  count: number,
  by: (i: number) => Address,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    of.ask(`victim${i}@mail${by(i)}.example`, by(i))
    await of.postman.drain()
  }
}

describe('mails that strangers ask for', () => {
  test('go to one address five times an hour, whoever asks, and no link is made for the others', async () => {
    const at = office()
    for (let i = 0; i < 9; i++) {
      at.ask('ann@shop.example', i % 2 === 0 ? EVE : ANN)
      await at.postman.drain()
    }
    assert.deepEqual([at.sent.length, at.works()], [5, 5])
    at.clock.advance(3_600_001)
    at.ask('ann@shop.example', ANN)
    await at.postman.drain()
    assert.equal(at.sent.length, 6)
  })

  test('are a hundred an hour for one client, to whatever addresses, and others get theirs', async () => {
    const at = office()
    await askFor(at, 130, () => EVE)
    assert.equal(at.sent.length, 100)
    assert.equal(at.errors.length, 1, 'said once')
    at.ask('ann@shop.example', ANN)
    await at.postman.drain()
    assert.equal(at.sent.at(-1), 'ann@shop.example')
  })

  test('a customer of IPv6 is one client with all addresses', async () => {
    const at = office()
    await askFor(at, 130, i => address(`2001:db8:1:2::${(i + 1).toString(16)}`))
    assert.equal(at.sent.length, 100)
  })

  test('one client that asks for many at once keeps those of others from nothing', async () => {
    const slow = Promise.withResolvers<void>()
    const at = office(() => slow.promise)
    for (let i = 0; i < 90; i++) at.ask(`victim${i}@mail.example`, EVE)
    at.ask('ann@shop.example', ANN)
    while (!at.sent.includes('ann@shop.example')) await new Promise(setImmediate)
    assert.equal(at.sent.length, 21)
    slow.resolve()
    await at.postman.drain()
    assert.deepEqual(at.errors, [])
  })
})

for (const [name, open] of Object.entries(STORES))
  describe(`mails of several processes, counted in ${name}`, () => {
    const offices = async (t: TestContext): Promise<readonly ReturnType<typeof office>[]> => {
      const counts = await sharedRecords(await open(t), 'mails', MAIL_COUNTS, new VirtualClock())
      return [0, 1, 2].map(() => office(undefined, counts))
    }
    const sentBy = (all: readonly ReturnType<typeof office>[]): number =>
      all.reduce((sum, { sent }) => sum + sent.length, 0)

    test('attack: every process is asked for mails to one address', async t => {
      const all = await offices(t)
      for (let i = 0; i < 8; i++) for (const { ask } of all) ask('ann@shop.example', EVE)
      await Promise.all(all.map(({ postman }) => postman.drain()))
      assert.equal(sentBy(all), 5)
      assert.deepEqual(
        all.flatMap(({ errors }) => errors),
        [],
      )
    })

    test('attack: one client asks every process for mails to many addresses', async t => {
      const all = await offices(t)
      for (let i = 0; i < 60; i++) {
        for (const [j, { ask }] of all.entries()) ask(`victim${i}@mail${j}.example`, EVE)
        await Promise.all(all.map(({ postman }) => postman.drain()))
      }
      assert.equal(sentBy(all), 100)
      assert.equal(all.flatMap(({ errors }) => errors).length, 1, 'said once')
    })

    test('attack: a thief makes changes at every process, so that its owner has no peace', async t => {
      const all = await offices(t)
      for (let i = 0; i < 10; i++)
        for (const { postman } of all)
          postman.notify(async () => ({ to: 'ann@shop.example', subject: 's', text: 't' }))
      await Promise.all(all.map(({ postman }) => postman.drain()))
      assert.equal(sentBy(all), 20)
    })
  })

test('a store of counts that is away keeps no mail back, and each process counts its own', async () => {
  const at = office(undefined, {
    name: 'away',
    update: async () => {
      throw new StoreError('is away', { store: 'counts', retryable: true })
    },
  })
  for (let i = 0; i < 9; i++) at.ask('ann@shop.example', EVE)
  await at.postman.drain()
  assert.equal(at.sent.length, 5)
  assert.match(at.errors[0] ?? '', /is away/)
})
