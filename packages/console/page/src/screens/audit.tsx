import { type FormEvent, type ReactNode, useEffect, useState } from 'react'
import { dateTime } from '../lib/format.ts'
import { type CheckedInclusion, checkInclusion, fromBase64, type Head, openHead } from '../lib/merkle.ts'
import { encoded, to } from '../lib/route.ts'
import type { AuditEntry, AuditProof, Event } from '../lib/types.ts'
import { useAsked } from '../lib/use-asked.ts'
import { useLogGrowth } from '../lib/use-log-growth.ts'
import { sentenceOf } from '../parts/event-line.tsx'
import { GrowthPicture, ProofPicture } from '../parts/proof-picture.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { EventBadge } from '../parts/verdict-badge.tsx'

/** The audit log, verified by this browser and not by the server. @param selected number of an entry */
export function AuditScreen({ selected }: { readonly selected: string }): ReactNode {
  const [query, setQuery] = useState('')
  const asked = useAsked<{ readonly entries: readonly AuditEntry[] }>(`/audit?limit=200&${query}`)
  const submit = (form: HTMLFormElement): void => {
    const fields = [...new FormData(form)].flatMap(([name, value]) =>
      typeof value === 'string' && value.trim() !== '' ? [[name, value.trim()]] : [],
    )
    setQuery(new URLSearchParams(fields).toString())
    asked.again()
  }
  return (
    <div className="stack">
      <h1>Audit log</h1>
      <Growth />
      <div className="halves audit">
        <section className="card">
          <form
            className="row filters"
            onSubmit={(event: FormEvent<HTMLFormElement>) => {
              event.preventDefault()
              submit(event.currentTarget)
            }}
          >
            <select className="input" name="type" aria-label="Kind of entry">
              <option value="">all kinds</option>
              <option value="http">requests</option>
              <option value="operator">operators</option>
              <option value="finding">findings</option>
              <option value="remediation.added">bans</option>
            </select>
            <input className="input" name="principal" aria-label="Who acted" placeholder="who acted" />
            <input className="input" name="address" aria-label="Address" placeholder="address" />
            <button type="submit" className="button">
              Search
            </button>
          </form>
          <Loaded asked={asked}>
            {({ entries }) =>
              entries.length === 0 ? (
                <Empty title="No entry matches" />
              ) : (
                <ol className="entries">
                  {entries.map(entry => (
                    <li key={entry.index}>
                      <a
                        href={to('audit', entry.index)}
                        aria-current={String(entry.index) === selected ? 'true' : undefined}
                      >
                        <span className="mono muted number">{entry.index}</span>
                        <EntryLine entry={entry} />
                      </a>
                    </li>
                  ))}
                </ol>
              )
            }
          </Loaded>
        </section>
        {selected === '' ? (
          <section className="card">
            <Empty title="Choose an entry">
              <span>This browser then computes the path from its bytes to the signed root.</span>
            </Empty>
          </section>
        ) : (
          <EntryProof key={selected} index={selected} />
        )}
      </div>
    </div>
  )
}

function EntryLine({ entry: { event } }: { readonly entry: AuditEntry }): ReactNode {
  return (
    <>
      <time className="muted small">{dateTime(event.time)}</time>
      <EventBadge type={event.type} verdict={event.decision ?? 'allow'} />
      <span className="cut">{entryText(event)}</span>
    </>
  )
}

function entryText(event: Event): string {
  const { request, actor, action } = event
  if (event.type === 'http') return `${request?.method ?? ''} ${request?.path ?? ''}`
  const who = actor.principal ?? actor.address ?? ''
  const row = {
    time: event.time,
    type: event.type,
    verdict: 'allow' as const,
    weight: 1,
    data: event.data,
    ...(action !== undefined && { action }),
  }
  return `${who} ${sentenceOf(row)}`.trim()
}

function Growth(): ReactNode {
  const { growth, problem } = useLogGrowth()
  if (problem !== undefined)
    return (
      <p className="notice bad" role="alert">
        {problem}
      </p>
    )
  if (growth === undefined) return null
  const { head, before, isVerified } = growth
  return (
    <section className="card growth-card" aria-label="The log as a whole">
      <div>
        <Verdict isVerified={isVerified}>
          {isVerified
            ? before.size === head.size
              ? 'Unchanged since this browser last looked'
              : 'Has only grown since this browser last looked'
            : head.signedBy === undefined
              ? 'The checkpoint is not signed by a key of the log'
              : 'Not a continuation of what this browser saw before'}
        </Verdict>
        <p className="muted small mono wrap">
          {head.origin} · signed by {head.signedBy ?? 'nobody known'} · root {head.root.slice(0, 16)}
        </p>
      </div>
      <GrowthPicture before={before.size} now={head.size} isVerified={isVerified} />
    </section>
  )
}

function Verdict({
  isVerified,
  children,
}: {
  readonly isVerified: boolean
  readonly children: ReactNode
}): ReactNode {
  return (
    <p className="row" role="status">
      <span className={isVerified ? 'badge allow' : 'badge deny'}>
        {isVerified ? '✓ verified here' : '✗ not verified'}
      </span>
      <b>{children}</b>
    </p>
  )
}

function EntryProof({ index }: { readonly index: string }): ReactNode {
  const asked = useAsked<AuditProof>(`/audit/${encoded(index)}/proof`)
  return (
    <section className="card" aria-label={`Entry ${index}`}>
      <h2>Entry {index}</h2>
      <Loaded asked={asked}>{proof => <CheckedProof proof={proof} />}</Loaded>
    </section>
  )
}

interface Checked extends CheckedInclusion {
  readonly head: Head
}

function CheckedProof({ proof }: { readonly proof: AuditProof }): ReactNode {
  const [checked, setChecked] = useState<Checked | string>()
  useEffect(() => {
    const check = async (): Promise<Checked> => {
      const head = await openHead(proof.checkpoint, proof.keys)
      const inclusion = await checkInclusion(
        fromBase64(proof.bytes),
        proof.entry.index,
        head.size,
        proof.hashes,
      )
      return { ...inclusion, head }
    }
    check().then(setChecked, (error: unknown) =>
      setChecked(error instanceof Error ? error.message : 'Something went wrong.'),
    )
  }, [proof])
  const { event, personal } = proof.entry
  return (
    <div className="stack">
      {typeof checked === 'string' && (
        <p className="notice bad" role="alert">
          {checked}
        </p>
      )}
      {typeof checked === 'object' && <Inclusion {...checked} />}
      <div>
        <p className="row small">
          <EntryLine entry={proof.entry} />
        </p>
        {event.request !== undefined && (
          <p className="small">
            <a href={to('why', event.request.id)}>Why it was decided this way</a>
          </p>
        )}
        {personal === 'erased' && (
          <p className="notice">The personal part was erased; the proof still holds.</p>
        )}
        <details>
          <summary>Whole entry</summary>
          <pre className="command wrap">{JSON.stringify(event, undefined, 2)}</pre>
        </details>
      </div>
    </div>
  )
}

function Inclusion({ leaf, steps, root, head }: Checked): ReactNode {
  const isVerified = root === head.root && head.signedBy !== undefined
  return (
    <>
      <Verdict isVerified={isVerified}>
        {isVerified
          ? `It is in the log of ${head.size} entries`
          : 'The proof does not lead to the signed root'}
      </Verdict>
      <ProofPicture leaf={leaf} steps={steps} isVerified={isVerified} />
      <p className="muted small row legend-line">
        <span className="row">
          <span className="swatch made" /> computed here from the entry's bytes
        </span>
        <span className="row">
          <span className="swatch given" /> given by the server
        </span>
      </p>
    </>
  )
}
