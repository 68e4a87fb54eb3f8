import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_BUDGETS } from '../src/holder/holder-policy.ts'
import { openedRows } from '../src/holder/opened-rows.ts'
import { packed, testHolders } from './support/holders.ts'
import { context, item } from './support/requests.ts'

describe('what a holder logs of records that it opened', () => {
  const opened = (holders: ReturnType<typeof testHolders>) =>
    holders.recorder.events.filter(({ type }) => type === 'vault.opened').map(({ data }) => data)

  it('names every row, whatever the thief puts in front of the ones that he is after', () => {
    const budgets = { ...DEFAULT_BUDGETS, service: 1_000 }
    const holders = testHolders({ services: { app: { seal: [], open: ['*'], search: [], budgets } } })
    const items = Array.from({ length: 250 }, (_, row) => item(row + 1))
    holders.cores[0]?.answer('app', { op: 'open', items: packed(items) })
    const entries = opened(holders)
    assert.deepEqual(
      entries.flatMap(data => data?.['rows'] as string[]),
      items.map((_, row) => `customers/${row + 1} (email)`),
    )
    assert.deepEqual(
      entries.map(data => [data?.['records'], data?.['continued']]),
      [
        [100, undefined],
        [100, true],
        [50, true],
      ],
    )
  })

  it('names the tenant and the columns, and a row once', () => {
    const holders = testHolders()
    const items = (['acme', 'other'] as const).flatMap(tenant =>
      ['email', 'phone'].map(column => ({
        ...item(7),
        context: { ...context(7, 'customers', column), tenant },
      })),
    )
    holders.cores[0]?.answer('app', { op: 'open', items: packed(items) })
    assert.deepEqual(opened(holders), [
      {
        holder: 1,
        service: 'app',
        records: 4,
        tables: ['customers'],
        rows: ['acme:customers/7 (email, phone)', 'other:customers/7 (email, phone)'],
      },
    ])
  })

  it('tells rows apart whose keys begin alike, or read alike', () => {
    const place = { tenant: '', table: 'customers', column: 'email', epoch: 1, start: 0, middle: 0, end: 0 }
    const item = (...row: string[]) => ({ ...place, row })
    const long = 'x'.repeat(300)
    const [entry, ...more] = openedRows([item(`${long}1`), item(`${long}2`), item('a/b'), item('a', 'b')])
    assert.equal(more.length, 0)
    assert.equal(entry?.rows.length, 4)
    const [first = '', second = ''] = entry.rows
    assert.notEqual(first, second)
    assert.match(first, /^customers\/x{190}\.\.\. sha256:[\da-f]{16} \(email\)$/)
  })
})
