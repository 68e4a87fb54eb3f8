import { type FormEvent, type ReactNode, useState } from 'react'
import { ask } from '../lib/api.ts'
import { dateTime } from '../lib/format.ts'
import { encoded } from '../lib/route.ts'
import { useMay } from '../lib/session.ts'
import type { ApiKeyRow } from '../lib/types.ts'
import { useAct } from '../lib/use-act.ts'
import { useAsked } from '../lib/use-asked.ts'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { Problem } from '../parts/problem.tsx'
import { Segments } from '../parts/segments.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'

const SHOW = [
  ['live', 'Live'],
  ['all', 'All'],
] as const
const LIVES = ['30d', '90d', '365d', ''] as const

/** API keys of built-in identity. */
export function KeysScreen(): ReactNode {
  const asked = useAsked<{ readonly kept: boolean; readonly keys: readonly ApiKeyRow[] }>('/keys')
  const [show, setShow] = useState<(typeof SHOW)[number][0]>('live')
  const may = useMay('administrator')
  return (
    <div className="stack">
      <div className="row spread">
        <h1>API keys</h1>
        <Segments label="Show" values={SHOW} value={show} onChange={setShow} />
      </div>
      <Loaded asked={asked}>
        {({ kept, keys }) =>
          kept ? (
            <>
              {may && <KeyForm onMade={asked.again} />}
              <KeyTable
                keys={show === 'live' ? keys.filter(({ isLive }) => isLive) : keys}
                onDone={asked.again}
              />
            </>
          ) : (
            <Empty title="Postern does not manage API keys here">
              <span>
                With <code>identity</code> in the configuration it does.
              </span>
            </Empty>
          )
        }
      </Loaded>
    </div>
  )
}

/** Words that are separated by commas or spaces. */
function wordsOf(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter(word => word !== '')
}

function KeyForm({ onMade }: { readonly onMade: () => void }): ReactNode {
  const [made, setMade] = useState<string>()
  const { isBusy, problem, run } = useAct()
  const submit = (form: HTMLFormElement): void => {
    const fields = new FormData(form)
    const field = (name: string): string => String(fields.get(name) ?? '').trim()
    void run(async () => {
      const { text } = await ask<{ readonly text: string }>('/keys', {
        method: 'POST',
        body: {
          service: field('service'),
          scopes: wordsOf(field('scopes')),
          networks: wordsOf(field('networks')),
          ...(field('expires') !== '' && { expires: field('expires') }),
        },
      })
      setMade(text)
      form.reset()
      onMade()
    })
  }
  return (
    <form
      className="card key-form"
      onSubmit={(event: FormEvent<HTMLFormElement>) => {
        event.preventDefault()
        submit(event.currentTarget)
      }}
    >
      <label className="field">
        Service
        <input className="input mono" name="service" required maxLength={100} placeholder="billing" />
      </label>
      <label className="field">
        Scopes
        <input className="input mono" name="scopes" placeholder="orders:read" />
      </label>
      <label className="field">
        Allowed networks
        <input className="input mono" name="networks" placeholder="10.0.0.0/8" />
      </label>
      <label className="field">
        Expires after
        <select className="input" name="expires" defaultValue="90d">
          {LIVES.map(life => (
            <option key={life} value={life}>
              {life === '' ? 'ever' : life}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" className="button primary" disabled={isBusy}>
        Create a key
      </button>
      <Problem text={problem} />
      {made !== undefined && (
        <div className="notice good" role="status">
          <p>This key is shown only once. Give it to the service now:</p>
          <pre className="command wrap">{made}</pre>
          <div className="row">
            <button
              type="button"
              className="button small"
              onClick={() => void navigator.clipboard.writeText(made).catch(() => undefined)}
            >
              Copy
            </button>
            <button type="button" className="button small" onClick={() => setMade(undefined)}>
              Done
            </button>
          </div>
        </div>
      )}
    </form>
  )
}

/** Keys as a table, with a button to revoke each that is live. */
export function KeyTable({
  keys,
  onDone,
}: {
  readonly keys: readonly ApiKeyRow[]
  readonly onDone: () => void
}): ReactNode {
  const may = useMay('operator')
  const { problem, run } = useAct()
  if (keys.length === 0) return <Empty title="No API keys" />
  const revoke = (id: string): Promise<void> =>
    run(async () => {
      await ask(`/keys/${encoded(id)}`, { method: 'DELETE' })
      onDone()
    })
  return (
    <section className="card">
      <Problem text={problem} />
      <Table
        label="API keys"
        columns={[
          { title: 'Key' },
          { title: 'Owner' },
          { title: 'Scopes' },
          { title: 'Last used' },
          { title: 'Expires' },
          { title: 'State' },
          { title: 'Action', isHidden: true, isNumber: true },
        ]}
        rows={keys.map(key => ({
          key: key.id,
          cells: [
            <span key="name">
              <b>{key.name}</b> <span className="mono muted">{key.id}</span>
            </span>,
            <span key="owner" className="mono">
              {key.owner.kind === 'user' ? 'user ' : ''}
              {key.owner.id}
            </span>,
            <span key="may" className="mono">
              {key.scopes.join(', ') || 'no scopes'}
              {key.networks.length > 0 && <span className="muted"> from {key.networks.join(', ')}</span>}
            </span>,
            key.usedAt === undefined ? 'never' : dateTime(key.usedAt),
            key.expiresAt === undefined ? 'never' : dateTime(key.expiresAt),
            <KeyState key="state" row={key} />,
            may && key.isLive && (
              <ConfirmButton label={`Revoke ${key.name}`} onConfirm={() => void revoke(key.id)}>
                Revoke
              </ConfirmButton>
            ),
          ],
        }))}
      />
    </section>
  )
}

function KeyState({ row: { isLive, revokedWhy } }: { readonly row: ApiKeyRow }): ReactNode {
  if (isLive) return <span className="badge allow">live</span>
  return (
    <span className="badge" title={revokedWhy}>
      {revokedWhy === undefined ? 'expired' : 'revoked'}
    </span>
  )
}
