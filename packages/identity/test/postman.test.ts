import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Address, parseAddress, VirtualClock } from '@postern/core'
import type { Mail } from '../src/mail/mailer.ts'
import { Postman } from '../src/mail/postman.ts'

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed)
  return parsed
}
const EVE = address('203.0.113.9')
const ANN = address('198.51.100.7')

function office(send: (mail: Mail) => Promise<void> = async () => undefined) {
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
