import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Event } from '@postern/core'

/** A directory that no other test uses. */
export function freshDirectory(): string {
  return join(mkdtempSync(join(tmpdir(), 'postern-audit-')), 'log')
}

/** An ordinary request of a user, as the engine reports it. */
export function requestEvent(number: number, changes: Partial<Event> = {}): Event {
  return {
    type: 'http',
    time: Date.UTC(2026, 0, 1) + number * 1_000,
    actor: {
      address: `203.0.113.${number % 200}`,
      principal: `user-${number % 7}`,
      tenant: number % 3 === 0 ? 'acme' : 'globex',
      agent: 'test/1',
    },
    request: {
      id: `01jabcdefghjkm${String(number).padStart(6, '0')}`,
      method: 'DELETE',
      host: 'shop.example.com',
      path: `/api/orders/${number}`,
      query: '',
      route: 'DELETE /api/orders/:id',
    },
    action: 'orders.delete',
    resource: { type: 'order', id: String(number) },
    decision: 'allow',
    outcome: { status: 204, duration: 3.5, bytes: 0, aborted: false },
    ...changes,
  }
}

/** Everything of a sequence, read to its end. */
export async function collect<T>(sequence: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of sequence) all.push(one)
  return all
}

/** Events of 1,500 people in a tenant of their own each, and of `mallory` in two more, the last by name. */
export async function inManyTenants(commit: (event: Event) => Promise<unknown>): Promise<void> {
  const of = (tenant: string, principal: string): Event => requestEvent(1, { actor: { principal, tenant } })
  await Promise.all(
    Array.from({ length: 1_500 }, (_, i) => commit(of(`tenant-${String(i).padStart(5, '0')}`, `user-${i}`))),
  )
  await commit(of('zebra', 'mallory'))
  await commit(of('zoo', 'mallory'))
}
