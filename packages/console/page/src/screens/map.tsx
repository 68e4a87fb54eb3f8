import { type ReactNode, useState } from 'react'
import { ask } from '../lib/api.ts'
import { count, dateTime } from '../lib/format.ts'
import { useAsked } from '../lib/use-asked.ts'
import { Segments } from '../parts/segments.tsx'
import { Empty, Loaded } from '../parts/states.tsx'

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
  ['open', 'Open to anybody'],
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
      <Loaded asked={asked}>
        {({ routes }) => <Routes routes={show === 'open' ? routes.filter(({ isOpen }) => isOpen) : routes} />}
      </Loaded>
    </div>
  )
}

function Routes({ routes }: { readonly routes: readonly Route[] }): ReactNode {
  if (routes.length === 0)
    return (
      <Empty title="No route to show">
        <span>Routes appear once a request to them was kept.</span>
      </Empty>
    )
  return (
    <section className="card">
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Route</th>
              <th scope="col">Parameters</th>
              <th scope="col">Who</th>
              <th scope="col">Answers</th>
              <th scope="col" className="number">
                Requests
              </th>
              <th scope="col" className="number">
                Refused
              </th>
              <th scope="col">Last</th>
            </tr>
          </thead>
          <tbody>
            {routes.map(route => (
              <tr key={`${route.method} ${route.path}`}>
                <td className="mono wrap">
                  <b>{route.method}</b> {route.path}
                  {route.configured !== undefined && <div className="muted">{route.configured}</div>}
                </td>
                <td className="mono wrap">{route.parameters.join(', ')}</td>
                <td>{whoOf(route)}</td>
                <td className="mono">
                  {Object.entries(route.statuses)
                    .sort(([a], [b]) => (a < b ? -1 : 1))
                    .map(([status, requests]) => `${status} ${count(requests)}`)
                    .join(' ')}
                </td>
                <td className="number">{count(route.requests)}</td>
                <td className="number">{count(route.refused)}</td>
                <td className="muted">{dateTime(route.lastAt)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function whoOf({ isOpen, identified, requests }: Route): ReactNode {
  if (isOpen) return <span className="badge throttle">open to anybody</span>
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
