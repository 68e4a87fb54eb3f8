import { type FormEvent, type ReactNode, useState } from 'react'
import { count, dateTime } from '../lib/format.ts'
import { go } from '../lib/route.ts'
import { useAsked } from '../lib/use-asked.ts'
import { Segments } from '../parts/segments.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { type GraphEdge, type GraphNode, TouchGraph } from '../parts/touch-graph.tsx'

interface Graph {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly left: number
  readonly entries: number
  readonly more: boolean
}

const HOURS = [
  ['1', 'Last hour'],
  ['24', '24 hours'],
  ['168', '7 days'],
  ['744', '31 days'],
] as const
const MOST_LINES = 50

/** Who touched what, by the audit log. @param principal only what this one touched */
export function GraphScreen({ principal }: { readonly principal: string }): ReactNode {
  const [hours, setHours] = useState<(typeof HOURS)[number][0]>('24')
  const query = new URLSearchParams({ hours, ...(principal !== '' && { principal }) })
  const asked = useAsked<Graph>(`/graph?${query}`)
  return (
    <div className="stack">
      <div className="row spread">
        <h1>Who touched what</h1>
        <Segments label="Span" values={HOURS} value={hours} onChange={setHours} />
      </div>
      <form
        className="row"
        onSubmit={(event: FormEvent<HTMLFormElement>) => {
          event.preventDefault()
          const text = String(new FormData(event.currentTarget).get('principal') ?? '').trim()
          if (text === '') go('graph')
          else go('graph', text)
        }}
      >
        <input
          key={principal}
          className="input mono graph-filter"
          name="principal"
          type="search"
          aria-label="Only what this principal touched"
          placeholder="everybody, or one principal"
          defaultValue={principal}
        />
        <button type="submit" className="button">
          Show
        </button>
      </form>
      <Loaded asked={asked}>{graph => <Contents {...graph} />}</Loaded>
    </div>
  )
}

function Contents({ nodes, edges, left, entries, more }: Graph): ReactNode {
  if (edges.length === 0)
    return (
      <Empty title="Nobody touched anything in this span">
        <span>Entries of the audit log that name a resource or a configured route appear here.</span>
      </Empty>
    )
  const labels = new Map(nodes.map(node => [node.id, node]))
  const lines = [...edges].sort((a, b) => b.touches - a.touches).slice(0, MOST_LINES)
  return (
    <>
      <section className="card">
        <TouchGraph nodes={nodes} edges={edges} />
        <p className="muted small">
          {count(entries)} entries{more && ', the newest of more'}
          {left > 0 && `; ${count(left)} who or what were touched less are left out`}. A red line was refused
          at least once.
        </p>
      </section>
      <section className="card">
        <h2>As a list</h2>
        <Table
          label="Who touched what"
          columns={[
            { title: 'Who' },
            { title: 'What' },
            { title: 'How' },
            { title: 'Times', isNumber: true },
            { title: 'Refused', isNumber: true },
            { title: 'Last' },
          ]}
          rows={lines.map(edge => ({
            key: `${edge.from} ${edge.to}`,
            cells: [
              <span key="who" className="mono">
                {labels.get(edge.from)?.label ?? edge.from}
              </span>,
              <span key="what" className="mono">
                {edge.to}
              </span>,
              edge.actions.join(', '),
              count(edge.touches),
              count(edge.refused),
              dateTime(edge.lastAt),
            ],
          }))}
        />
      </section>
    </>
  )
}
