import type { ReactNode } from 'react'
import { count, dateTime } from '../lib/format.ts'
import { to } from '../lib/route.ts'
import { useAsked } from '../lib/use-asked.ts'
import { Empty, Loaded } from './states.tsx'
import { Table } from './table.tsx'

interface FalsePositives {
  readonly rules: readonly {
    readonly rule: string
    readonly marked: number
    readonly refused: number
    readonly lastAt: number
  }[]
  readonly marks: readonly {
    readonly request: string
    readonly rule: string
    readonly time: number
    readonly operator: string
    readonly note: string
  }[]
}

const MOST_MARKS = 100

/** Rules by how often operators said that they were wrong, and each of those refusals. */
export function FalsePositiveList(): ReactNode {
  const asked = useAsked<FalsePositives>('/false-positives')
  return (
    <Loaded asked={asked}>
      {({ rules, marks }) =>
        marks.length === 0 ? (
          <Empty title="No refusal is marked">
            <span>“False positive” on the page of a refused request marks it.</span>
          </Empty>
        ) : (
          <>
            <section className="card">
              <h2>Rules</h2>
              <Table
                label="Rules"
                columns={[
                  { title: 'Rule' },
                  { title: 'Marked', isNumber: true },
                  { title: 'Of refusals', isNumber: true },
                  { title: 'Last' },
                ]}
                rows={rules.map(({ rule, marked, refused, lastAt }) => ({
                  key: rule,
                  cells: [
                    <span key="rule" className="mono">
                      {rule}
                    </span>,
                    count(marked),
                    count(refused),
                    dateTime(lastAt),
                  ],
                }))}
              />
            </section>
            <section className="card">
              <h2>Marked refusals</h2>
              <Table
                label="Marked refusals"
                columns={[
                  { title: 'Request' },
                  { title: 'Rule' },
                  { title: 'Note' },
                  { title: 'By' },
                  { title: 'When' },
                ]}
                rows={marks.slice(0, MOST_MARKS).map(({ request, rule, time, operator, note }) => ({
                  key: request,
                  cells: [
                    <a key="request" className="mono" href={to('why', request)}>
                      {request.slice(-6)}
                    </a>,
                    <span key="rule" className="mono">
                      {rule}
                    </span>,
                    note,
                    operator,
                    dateTime(time),
                  ],
                }))}
              />
            </section>
          </>
        )
      }
    </Loaded>
  )
}
