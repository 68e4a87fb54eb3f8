import type { Event } from '@postern/core'
import type { ApiCall, ApiRoute } from './api-route.ts'
import { queryNumber } from './call-values.ts'

/** Entries of the audit log that are looked at for who opened what. */
const MOST_ENTRIES = 2_000
const MOST_OPENERS = 50

/** The vault: its columns, holders and trust domains, and who opened what. */
export const vaultRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/vault',
    role: 'viewer',
    summary: 'Health of the vault: columns and epochs, holders and trust domains, budgets and canaries.',
    answer:
      '`kept` is false where there is no vault.json. `readings`: what holders say whose operator socket this process may open (`console.holders`).',
    shape: {
      kept: 'boolean',
      columns: [{ column: 'string', mode: 'string', state: 'string', epoch: 'integer' }],
      holders: [{ id: 'integer', isUp: 'boolean', administrator: 'string?', unlockedBy: 'string?' }],
      trustDomains: { count: 'integer', reasons: ['string'] },
      readings: [
        {
          path: 'string',
          problem: 'string?',
          id: 'integer?',
          epochs: 'any?',
          frozen: 'any?',
          opened: 'integer?',
          limit: 'integer?',
          canaries: 'integer?',
        },
      ],
    },
    handle: async ({ parts }) => {
      const desk = parts.vault()
      if (desk === undefined)
        return {
          kept: false,
          columns: [],
          holders: [],
          trustDomains: { count: 0, reasons: [] },
          readings: [],
        }
      const [status, readings] = await Promise.all([desk.status(), desk.holders()])
      return { kept: true, ...status, readings }
    },
  },
  {
    method: 'GET',
    path: '/vault/openings',
    role: 'viewer',
    summary: 'Who opened which records, and what holders refused, by the entries of this audit log.',
    query: { hours: { type: 'integer', description: 'How far back, 1 to 744. Default: 24.' } },
    answer: '`openers`, those who opened most first; `refusals` and `freezes` newest first.',
    shape: {
      openers: [
        { who: 'string', records: 'integer', requests: 'integer', tables: ['string'], lastAt: 'time' },
      ],
      refusals: [{ time: 'time', who: 'string', refused: 'string', holder: 'any?' }],
      freezes: [{ time: 'time', who: 'string', reason: 'string', holder: 'any?' }],
    },
    handle: openings,
  },
]

interface Opener {
  readonly who: string
  records: number
  requests: number
  readonly tables: Set<string>
  lastAt: number
}

async function openings(call: ApiCall): Promise<unknown> {
  const hours = queryNumber(call, 'hours', { fallback: 24, least: 1, most: 744 })
  const { parts } = call
  const from = parts.clock.now() - hours * 3_600_000
  const openers = new Map<string, Opener>()
  for (const event of await eventsOf(call, 'vault.opened', from)) {
    const who = event.actor.principal ?? ''
    const opener = openers.get(who) ?? { who, records: 0, requests: 0, tables: new Set<string>(), lastAt: 0 }
    if (!openers.has(who) && openers.size >= MOST_OPENERS * 10) continue
    openers.set(who, opener)
    if (event.data?.['continued'] !== true) opener.requests++
    opener.records += Number(event.data?.['records'] ?? 0)
    opener.lastAt = Math.max(opener.lastAt, event.time)
    const tables = event.data?.['tables']
    if (Array.isArray(tables)) for (const table of tables.slice(0, 20)) opener.tables.add(String(table))
  }
  const row = (event: Event, word: string): unknown => ({
    time: event.time,
    who: event.actor.principal ?? '',
    [word]: String(event.data?.[word] ?? ''),
    ...(event.data?.['holder'] !== undefined && { holder: event.data['holder'] }),
  })
  return {
    openers: [...openers.values()]
      .sort((a, b) => b.records - a.records)
      .slice(0, MOST_OPENERS)
      .map(opener => ({ ...opener, tables: [...opener.tables].sort() })),
    refusals: (await eventsOf(call, 'vault.refused', from)).slice(0, 100).map(event => row(event, 'refused')),
    freezes: (await eventsOf(call, 'vault.frozen', from)).slice(0, 100).map(event => row(event, 'reason')),
  }
}

/** Newest first; none where no log is kept. */
async function eventsOf({ parts }: ApiCall, type: string, from: number): Promise<readonly Event[]> {
  const reader = await parts.audit?.().catch(() => undefined)
  if (reader === undefined) return []
  const found: Event[] = []
  for await (const { event } of reader.query({ type, limit: MOST_ENTRIES })) {
    if (event.time < from) break
    found.push(event)
  }
  return found
}
