import { type ReactNode, useState } from 'react'
import { ask } from '../lib/api.ts'
import { count, dateTime } from '../lib/format.ts'
import { useAsked } from '../lib/use-asked.ts'
import { Segments } from '../parts/segments.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'

interface Route {
  readonly method: string
  readonly path: string
  readonly configured?: string
  readonly requests: number
  readonly refused: number
  readonly identified: number
  readonly lastAt: number
  readonly statuses: Readonly<Record<string, number>>
  readonly parameters: readonly string[]
  readonly isOpen: boolean
}

const SHOW = [
  ['all', 'All routes'],
  ['open', 'Open to anyone'],
] as const

/** What the backend answers to, as the traffic shows it. */
export function MapScreen(): ReactNode {
  const asked = useAsked<{ readonly routes: readonly Route[] }>('/map')
  const [show, setShow] = useState<(typeof SHOW)[number][0]>('all')
  return (
    <div className="stack">
      <div className="row spread">
        <h1>API map</h1>
        <div className="row">
          <Segments label="Show" values={SHOW} value={show} onChange={setShow} />
          <button type="button" className="button" onClick={() => void download()}>
            Export as OpenAPI
          </button>
        </div>
      </div>
      <p className="muted">
        Counts come from the newest 4,000 kept requests; older ones are not in them. Of allowed requests a
        sample is kept, and each counts for those it stands for. What was only ever answered 404 is left out.
      </p>
      <Loaded asked={asked}>
        {({ routes }) => <Routes routes={show === 'open' ? routes.filter(({ isOpen }) => isOpen) : routes} />}
      </Loaded>
    </div>
  )
}

function Routes({ routes }: { readonly routes: readonly Route[] }): ReactNode {
  if (routes.length === 0)
    return (
      <Empty title="No routes to show">
        <span>A route appears once a request to it is kept.</span>
      </Empty>
    )
  return (
    <section className="card">
      <Table
        label="Routes"
        columns={[
          { title: 'Route' },
          { title: 'Parameters' },
          { title: 'Who' },
          { title: 'Answers' },
          { title: 'Requests', isNumber: true },
          { title: 'Refused', isNumber: true },
          { title: 'Last' },
        ]}
        rows={routes.map(route => ({
          key: `${route.method} ${route.path}`,
          cells: [
            <span key="route" className="mono">
              <b>{route.method}</b> {route.path}
              {route.configured !== undefined && <span className="muted"> {route.configured}</span>}
            </span>,
            <span key="parameters" className="mono">
              {route.parameters.join(', ')}
            </span>,
            whoOf(route),
            <span key="answers" className="mono">
              {Object.entries(route.statuses)
                .sort(([a], [b]) => (a < b ? -1 : 1))
                .map(([status, requests]) => `${status} ${count(requests)}`)
                .join(' ')}
            </span>,
            count(route.requests),
            count(route.refused),
            <span key="last" className="muted">
              {dateTime(route.lastAt)}
            </span>,
          ],
        }))}
      />
    </section>
  )
}

function whoOf({ isOpen, identified, requests }: Route): ReactNode {
  if (isOpen) return <span className="badge throttle">open to anyone</span>
  if (identified === 0) return <span className="muted">anonymous</span>
  return `${Math.round((identified / requests) * 100)} % known`
}

/** A link cannot carry the session's token, so the file is fetched and handed over. */
async function download(): Promise<void> {
  const document_ = await ask<object>('/map/openapi.json').catch(() => undefined)
  if (document_ === undefined) return
  const url = URL.createObjectURL(
    new Blob([JSON.stringify(document_, undefined, 2)], { type: 'application/json' }),
  )
  const link = document.createElement('a')
  link.href = url
  link.download = 'openapi.json'
  link.click()
  URL.revokeObjectURL(url)
}
