import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { ConfigError } from '@postern/core'
import { services } from '../../../test/services.ts'
import { type Config, type Postern, postern } from '../src/index.ts'

const folders: string[] = []
async function layerOn(stores: Config['stores'], limits: Config['limits'] = {}): Promise<Postern> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-stores-'))
  folders.push(folder)
  return postern({
    folder,
    config: { stores, limits: { ...limits, busy: false }, trustProxies: ['loopback'] },
  })
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Addresses of this run alone: the stores outlive it. */
const FIRST_ADDRESS = Math.floor(Math.random() * 220)
const ROUNDS = 30
/** Milliseconds, after the first round; each later pause is as much longer. */
const PAUSE = 30

async function statuses(layer: Postern, count: number, address: string): Promise<readonly number[]> {
  const handle = layer.fetch(() => new Response('ok'), { peer: () => address })
  const answers: number[] = []
  for (let i = 0; i < count; i++) answers.push((await handle(new Request('http://shop.example/'))).status)
  return answers
}

const { postgres, redis } = await services()

describe('two instances', { timeout: 60_000 }, () => {
  for (const [name, stores] of [
    ['Redis', { redis }],
    ['PostgreSQL', { postgres, limits: 'postgres' }],
  ] as const) {
    test(`share a limit and a ban through ${name}`, async () => {
      const limit = `shared-${name}-${process.pid}`
      const one = await layerOn(stores, { address: false, [limit]: '5/1h' })
      const two = await layerOn(stores, { address: false, [limit]: '5/1h' })
      try {
        // When a busy store does not answer in 50 ms, each instance counts for itself, as documented.
        const rounds: (readonly number[])[] = []
        for (let round = 1; round <= ROUNDS && rounds.at(-1)?.at(-1) !== 429; round++) {
          const address = `203.0.113.${FIRST_ADDRESS + round}`
          await setTimeout((round - 1) * PAUSE)
          rounds.push([...(await statuses(one, 3, address)), ...(await statuses(two, 3, address))])
        }
        assert.deepEqual(rounds.at(-1), [200, 200, 200, 200, 200, 429])
        const banned = `198.51.100.${1 + Math.floor(Math.random() * 250)}`
        const seen = new Promise<void>(resolve => two.remediations.listen(() => resolve()))
        await one.remediations.add({ actor: { kind: 'address', value: banned }, for: '1m', reason: 'test' })
        await seen
        assert.deepEqual(await statuses(two, 1, banned), [403])
      } finally {
        await one.close()
        await two.close()
      }
    })
  }
})

test('limits cannot be counted in a store that has no address', async () => {
  await assert.rejects(
    layerOn({ limits: 'redis' }),
    (error: unknown) => error instanceof ConfigError && /set stores\.redis/.test(error.message),
  )
})
