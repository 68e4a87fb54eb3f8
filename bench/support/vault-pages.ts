import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { systemClock, systemRandom } from '@postern/core'
import { SplitKeys, Vault } from '@postern/vault'
import { HolderCore, HolderKeys, type HolderPolicy, MemoryJournal } from '@postern/vault/holder'
import { HolderProcesses } from '../../packages/vault/test/support/holder-processes.ts'
import { quantile } from './harness.ts'

const PAGE = 50
const TABLES = { customers: { key: ['id'], columns: { email: { mode: 'split' } } } } as const

/**
 * What a page of 50 records adds with three holder processes, TLS and their audit
 * logs; then with one of them out.
 */
export async function pageBenchmark(pages: number): Promise<Readonly<Record<string, number>>> {
  const budget = 100_000_000
  const holders = await HolderProcesses.start(
    { budgets: { service: budget, table: budget, all: budget } },
    fileURLToPath(new URL('vault-holder-process.ts', import.meta.url)),
  )
  const figures: Record<string, number> = {}
  try {
    const links = await holders.links()
    const vault = new Vault({ tables: TABLES, split: new SplitKeys({ links }) })
    const stored: Record<string, unknown>[][] = []
    for (let page = 0; page < pages; page++)
      stored.push(
        await vault.sealRows(
          'customers',
          Array.from({ length: PAGE }, (_, i) => ({
            id: page * PAGE + i,
            email: `customer${i}@example.com`,
          })),
        ),
      )
    const measure = async (name: string): Promise<void> => {
      const times: number[] = []
      let failed = 0
      for (let i = -10; i < pages; i++) {
        const rows = stored[(i + pages) % pages] ?? []
        const started = performance.now()
        try {
          await vault.openRows('customers', rows)
        } catch {
          failed++
        }
        if (i >= 0) times.push(performance.now() - started)
      }
      figures[`page.${name}.p50.ms`] = round(quantile(times, 0.5))
      figures[`page.${name}.p99.ms`] = round(quantile(times, 0.99))
      figures[`page.${name}.failed`] = failed
    }
    await measure('three holders')
    holders.signal(2, 'SIGSTOP')
    await measure('one frozen')
    holders.signal(2, 'SIGCONT')
    await holders.kill(2)
    await measure('one killed')
    for (const link of links) link.close()
  } finally {
    await holders.stop()
    rmSync(holders.folder, { recursive: true })
  }
  return figures
}

/**
 * Records opened a second by the core of one holder, on one core, as the number of
 * actors it counts for grows.
 */
export function holderCapacity(actors: readonly number[]): Readonly<Record<string, number>> {
  const figures: Record<string, number> = {}
  for (const count of actors) {
    const keys = new HolderKeys(1)
    keys.add(0, 'b', systemRandom.bytes(32))
    keys.add(0, 'c', systemRandom.bytes(32))
    const budgets = { person: 1e8, service: 1e8, served: 1e8, table: 1e8, all: 1e8 }
    const right = { seal: ['*'], open: ['*'], search: [] }
    const services = Object.fromEntries(Array.from({ length: count }, (_, i) => [`actor${i}`, right]))
    const policy: HolderPolicy = {
      services,
      enrollers: [],
      budgets,
      window: 3_600_000,
      guesses: 1,
      searches: 1,
    }
    const recorder = { record() {}, commit: async () => ({ index: 0n }) }
    const core = new HolderCore({
      keys,
      policy,
      journal: new MemoryJournal(),
      clock: systemClock,
      random: systemRandom,
      recorder,
    })
    const salt = Buffer.alloc(16).toString('base64url')
    const ask = (i: number): void => {
      const items = Array.from({ length: PAGE }, (_, k) => ({
        context: { tenant: '', table: 't', column: 'c', row: [`${(i * PAGE + k) % 1_000_000}`], version: 0 },
        epoch: 0,
        salt,
      }))
      core.answer(`actor${i % count}`, { op: 'open', items })
    }
    // Every actor has one page counted before the clock starts, so that the tables have their full size.
    for (let i = 0; i < Math.min(count, 10_000); i++) ask(i)
    const requests = 1_000
    const started = performance.now()
    for (let i = 0; i < requests; i++) ask(i * 7)
    const seconds = (performance.now() - started) / 1_000
    figures[`holder.opened per second and core.${count} actors`] = Math.round((requests * PAGE) / seconds)
  }
  return figures
}

function round(value: number): number {
  return Number(value.toFixed(2))
}
