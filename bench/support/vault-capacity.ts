import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, systemRandom } from '@postern/core'
import {
  generateSigningKey,
  type NamedRecord,
  type SigningKey,
  signCapability,
  signIdentity,
} from '@postern/vault/capability'
import { HolderCore, HolderKeys, type HolderPolicy, HolderStore } from '@postern/vault/holder'
import { encodeContext } from '../../packages/vault/src/record/record-context.ts'
import { packOpenings } from '../../packages/vault/src/split/open-batch.ts'

/** Records of one request. */
const PAGE = 50

/** Who opens: services under their own budgets, or people with signed capabilities. */
type Actors = 'services' | 'people'

/**
 * Records opened a second by the core of one holder with its file, on one core, as the number of actors
 * that it counts for grows; and what it remembers per actor.
 */
export function holderCapacity(actors: readonly number[]): Readonly<Record<string, number>> {
  const figures: Record<string, number> = {}
  for (const count of actors) {
    const { perSecond, bytesPerActor } = capacityOf('services', count, 1_000)
    figures[`holder.opened per second and core.${count} actors`] = perSecond
    figures[`holder.bytes per actor with one page counted.${count} actors`] = bytesPerActor
  }
  const { perSecond } = capacityOf('people', 1_000, 400)
  figures['holder.opened per second and core.1000 people with capabilities'] = perSecond
  return figures
}

function capacityOf(
  kind: Actors,
  count: number,
  requests: number,
): { readonly perSecond: number; readonly bytesPerActor: number } {
  const folder = mkdtempSync(join(tmpdir(), 'bench-holder-'))
  const store = HolderStore.open(join(folder, 'holder.db'))
  try {
    const enroller = generateSigningKey()
    const core = capacityCore(store, kind === 'services' ? count : 1, enroller)
    const salt = Buffer.alloc(16)
    const request = (i: number): readonly [string, object] => {
      const rows = Array.from({ length: PAGE }, (_, k) => [`${i * PAGE + k}`])
      const items = packOpenings(
        rows.map(row => ({
          encoded: encodeContext({ tenant: '', table: 't', column: 'c', row, version: 0 }),
          epoch: 0,
          salt,
        })),
      )
      if (kind === 'services') return [`actor${i % count}`, { op: 'open', items }]
      const records = rows.map(row => ({ tenant: '', table: 't', row, columns: ['c'] }))
      return ['actor0', { op: 'open', items, capability: capabilityOf(enroller, `${i % count}`, records) }]
    }
    globalThis.gc?.()
    const { rss } = process.memoryUsage()
    // Every actor has one page counted before the clock starts, so that the tables have their full size.
    for (let i = 0; i < count; i++) core.answer(...request(i))
    globalThis.gc?.()
    const bytesPerActor = Math.round((process.memoryUsage().rss - rss) / count)
    // Made beforehand: the requests are the clients' work.
    const made = Array.from({ length: requests }, (_, i) => request(count + i * 7))
    const started = process.cpuUsage()
    for (const [service, body] of made) core.answer(service, body)
    const { user, system } = process.cpuUsage(started)
    return { perSecond: Math.round((requests * PAGE) / ((user + system) / 1e6)), bytesPerActor }
  } finally {
    store.close()
    rmSync(folder, { recursive: true })
  }
}

function capacityCore(journal: HolderStore, services: number, enroller: SigningKey): HolderCore {
  const keys = new HolderKeys(1)
  keys.add(0, 'b', systemRandom.bytes(32))
  keys.add(0, 'c', systemRandom.bytes(32))
  const right = { seal: ['*'], open: ['*'], search: [] }
  const policy: HolderPolicy = {
    services: Object.fromEntries(Array.from({ length: services }, (_, i) => [`actor${i}`, right])),
    enrollers: [enroller.publicKey.toString('base64url')],
    budgets: { person: 1e8, service: 1e8, served: 1e8, table: 1e8, all: 1e8 },
    window: 3_600_000,
    guesses: 1,
    searches: 1,
  }
  const recorder = { record() {}, commit: async () => ({ index: 0n }) }
  return new HolderCore({ keys, policy, journal, clock: systemClock, random: systemRandom, recorder })
}

const sessions = new Map<string, { readonly key: SigningKey; readonly identity: string }>()

function capabilityOf(enroller: SigningKey, actor: string, records: readonly NamedRecord[]): string {
  let session = sessions.get(actor)
  if (session === undefined) {
    const key = generateSigningKey()
    const statement = { actor, key: key.publicKey.toString('base64url'), notAfter: Date.now() + 3_600_000 }
    session = { key, identity: signIdentity(enroller, statement) }
    sessions.set(actor, session)
  }
  return signCapability(session.key, {
    action: 'open',
    service: 'actor0',
    records,
    issuedAt: Date.now(),
    expiresAt: Date.now() + 300_000,
    nonce: randomBytes(16).toString('base64url'),
    identity: session.identity,
  })
}
