import { type ReactNode, useState } from 'react'
import { ask } from '../lib/api.ts'
import { bytes, count, dateTime, milliseconds, span } from '../lib/format.ts'
import { useMay } from '../lib/session.ts'
import { useAct } from '../lib/use-act.ts'
import { useAsked } from '../lib/use-asked.ts'
import { Fact } from '../parts/facts.tsx'
import { Problem } from '../parts/problem.tsx'
import { Loaded } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'

interface System {
  readonly instance: string
  readonly versions: Readonly<Record<string, string>>
  readonly uptime: number
  readonly memory: { readonly resident: number; readonly heapUsed: number; readonly heapTotal: number }
  readonly eventLoopDelay: { readonly mean: number; readonly p99: number; readonly max: number }
  readonly workers: number
  readonly stores: readonly { readonly name: string; readonly kind: string }[]
  readonly lost: Readonly<Record<string, number>>
  readonly parts: readonly {
    readonly name: string
    readonly ok: boolean
    readonly required: boolean
    readonly detail?: string
  }[]
  readonly traffic: { readonly events: number; readonly bytes: number; readonly oldest?: number }
}

interface Instances {
  readonly instances: readonly {
    readonly name: string
    readonly gateway: string
    readonly version: string
    readonly startedAt: number
    readonly seenAt: number
    readonly isSame: boolean
  }[]
}

interface Finding {
  readonly check: string
  readonly state: 'ok' | 'warn' | 'bad'
  readonly detail: string
  readonly hint?: string
}

const EVERY_MS = 5_000
const BADGES = { ok: 'allow', warn: 'throttle', bad: 'deny' } as const

/** Whether the process and everything that it stands on is well. */
export function SystemScreen(): ReactNode {
  const asked = useAsked<System>('/system', EVERY_MS)
  return (
    <div className="stack">
      <h1>System</h1>
      <Loaded asked={asked}>{system => <Contents {...system} />}</Loaded>
      <Gateways />
      <Doctor />
    </div>
  )
}

function Contents(system: System): ReactNode {
  const { versions, uptime, memory, eventLoopDelay, workers, stores, lost, parts, traffic } = system
  const losses = Object.entries(lost).filter(([, events]) => events > 0)
  const broken = parts.filter(({ ok }) => !ok)
  return (
    <>
      <p className={broken.length === 0 ? 'notice good' : 'notice bad'} role="status">
        <b>
          {broken.length === 0
            ? 'Everything is healthy.'
            : `${broken.length} of ${parts.length} parts are unhealthy.`}
        </b>{' '}
        {losses.length === 0
          ? 'No event has been lost since the start.'
          : `Events lost since the start: ${losses.map(([place, events]) => `${place} ${count(events)}`).join(', ')}.`}
      </p>
      <div className="halves">
        <section className="card">
          <h2>Process</h2>
          <dl className="facts">
            <Fact name="Instance">
              <span className="mono">{system.instance}</span>
            </Fact>
            <Fact name="Uptime">{span(uptime * 1_000)}</Fact>
            <Fact name="Worker threads">{workers}</Fact>
            <Fact name="Memory">{bytes(memory.resident)}</Fact>
            <Fact name="Heap">
              {bytes(memory.heapUsed)} of {bytes(memory.heapTotal)}
            </Fact>
            <Fact name="Event loop delay">
              {milliseconds(eventLoopDelay.mean)}, p99 {milliseconds(eventLoopDelay.p99)}
            </Fact>
            {Object.entries(versions).map(([name, version]) => (
              <Fact key={name} name={name}>
                <span className="mono">{version}</span>
              </Fact>
            ))}
          </dl>
        </section>
        <section className="card">
          <h2>Stores</h2>
          <dl className="facts">
            {stores.map(({ name, kind }) => (
              <Fact key={name} name={name}>
                {kind}
              </Fact>
            ))}
            <Fact name="Kept events">
              {count(traffic.events)}, {bytes(traffic.bytes)}
            </Fact>
            {traffic.oldest !== undefined && <Fact name="Kept since">{dateTime(traffic.oldest)}</Fact>}
          </dl>
        </section>
      </div>
      <section className="card">
        <h2>Health</h2>
        <Table
          label="Parts"
          columns={[{ title: 'Part' }, { title: 'State' }, { title: 'Detail' }]}
          rows={parts.map(({ name, ok, required, detail }) => ({
            key: name,
            cells: [
              name,
              <span key="state" className={`badge ${ok ? 'allow' : required ? 'deny' : 'throttle'}`}>
                {ok ? 'healthy' : required ? 'down' : 'degraded'}
              </span>,
              detail ?? '',
            ],
          }))}
        />
      </section>
    </>
  )
}

/** Gateways that share this traffic; of one alone the process above says everything. */
function Gateways(): ReactNode {
  const { value } = useAsked<Instances>('/instances', EVERY_MS)
  if (value === undefined || value.instances.length < 2) return null
  return (
    <section className="card">
      <h2>Gateways that share this traffic</h2>
      <Table
        label="Gateways"
        columns={[
          { title: 'Name' },
          { title: 'Address' },
          { title: 'Version' },
          { title: 'Started' },
          { title: 'Configuration' },
        ]}
        rows={value.instances.map(({ name, gateway, version, startedAt, isSame }) => ({
          key: name,
          cells: [
            <span key="name" className="mono">
              {name}
            </span>,
            <span key="gateway" className="mono">
              {gateway}
            </span>,
            version,
            dateTime(startedAt),
            <span key="same" className={isSame ? 'badge allow' : 'badge throttle'}>
              {isSame ? 'the same' : 'different'}
            </span>,
          ],
        }))}
      />
    </section>
  )
}

/** `postern doctor`, by a press. */
function Doctor(): ReactNode {
  const may = useMay('operator')
  const [findings, setFindings] = useState<readonly Finding[]>()
  const { isBusy, problem, run } = useAct()
  if (!may) return null
  return (
    <section className="card">
      <div className="row spread">
        <h2>Check the setup</h2>
        <button
          type="button"
          className="button small"
          disabled={isBusy}
          onClick={() =>
            void run(async () => {
              setFindings((await ask<{ readonly findings: readonly Finding[] }>('/system/doctor')).findings)
            })
          }
        >
          {isBusy ? 'Checking…' : 'Check now'}
        </button>
      </div>
      <Problem text={problem} />
      {findings === undefined ? (
        <p className="muted small">
          Asks every store, the backend and the holders, as <code>postern doctor</code> does.
        </p>
      ) : (
        <ul className="findings-list">
          {findings.map(({ check, state, detail, hint }) => (
            <li key={`${check} ${detail}`}>
              <span className={`badge ${BADGES[state]}`}>{state}</span>
              <div className="wrap">
                <b>{check}</b> {detail}
                {hint !== undefined && <p className="muted small">{hint}</p>}
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
