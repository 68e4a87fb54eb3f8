import { type FormEvent, type ReactNode, useState } from 'react'
import { ApiError, ask } from '../lib/api.ts'
import { dateTime, span } from '../lib/format.ts'
import { encoded } from '../lib/route.ts'
import { useMay } from '../lib/session.ts'
import type { Ban } from '../lib/types.ts'
import { useAsked } from '../lib/use-asked.ts'
import { Empty, Loaded } from '../parts/states.tsx'

interface Bans {
  readonly now: number
  readonly bans: readonly Ban[]
  readonly bouncers: readonly string[]
  /** Gateways that obey them. */
  readonly instances: readonly string[]
}

const EVERY_MS = 5_000
const LENGTHS = ['15m', '1h', '4h', '1d', '7d', '30d']

/** The remediations that apply to actors. @param proposed an actor to ban, from another screen */
export function BansScreen({ proposed }: { readonly proposed: string }): ReactNode {
  const asked = useAsked<Bans>('/bans', EVERY_MS)
  const may = useMay('operator')
  return (
    <div className="stack">
      <h1>Bans</h1>
      {may && <BanForm key={proposed} proposed={proposed} onDone={asked.again} />}
      <Loaded asked={asked}>
        {({ bans, bouncers, instances, now }) => (
          <>
            <BanTable bans={bans} now={now} onDone={asked.again} />
            {instances.length > 1 && (
              <p className="muted small">Gateways that obey these: {instances.join(', ')}</p>
            )}
            {bouncers.length > 0 && (
              <p className="muted small">Bouncers that obey these too: {bouncers.join(', ')}</p>
            )}
          </>
        )}
      </Loaded>
    </div>
  )
}

function BanForm({
  proposed,
  onDone,
}: {
  readonly proposed: string
  readonly onDone: () => void
}): ReactNode {
  const [problem, setProblem] = useState<string>()
  const [done, setDone] = useState<string>()
  const submit = async (form: HTMLFormElement): Promise<void> => {
    setProblem(undefined)
    setDone(undefined)
    try {
      const ban = await ask<Ban>('/bans', { method: 'POST', body: Object.fromEntries(new FormData(form)) })
      setDone(`${ban.actor}: ${ban.measure} until ${dateTime(ban.expiresAt)}`)
      form.reset()
      onDone()
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : 'Something went wrong.')
    }
  }
  return (
    <form
      className="card ban-form"
      onSubmit={(event: FormEvent<HTMLFormElement>) => {
        event.preventDefault()
        void submit(event.currentTarget)
      }}
    >
      <label className="field">
        Actor
        <input
          className="input mono"
          name="actor"
          required
          defaultValue={proposed}
          placeholder="192.0.2.7, 10.1.0.0/16, principal:alice"
        />
      </label>
      <label className="field">
        Measure
        <select className="input" name="measure">
          <option value="block">block</option>
          <option value="throttle">throttle</option>
          <option value="challenge">challenge</option>
        </select>
      </label>
      <label className="field">
        For
        <select className="input" name="for" defaultValue="4h">
          {LENGTHS.map(length => (
            <option key={length}>{length}</option>
          ))}
        </select>
      </label>
      <label className="field wide">
        Reason
        <input className="input" name="reason" maxLength={500} placeholder="for other operators" />
      </label>
      <button type="submit" className="button primary">
        Ban
      </button>
      {problem !== undefined && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
      {done !== undefined && (
        <p className="notice" role="status">
          {done}
        </p>
      )}
    </form>
  )
}

function BanTable({
  bans,
  now,
  onDone,
}: Pick<Bans, 'bans' | 'now'> & { readonly onDone: () => void }): ReactNode {
  const may = useMay('operator')
  const [problem, setProblem] = useState<string>()
  const end = async ({ id }: Ban): Promise<void> => {
    setProblem(undefined)
    await ask(`/bans/${encoded(id)}`, { method: 'DELETE' }).catch((error: unknown) =>
      setProblem(error instanceof ApiError ? error.message : 'Something went wrong.'),
    )
    onDone()
  }
  if (bans.length === 0)
    return (
      <Empty title="Nobody is banned">
        <span>Scenarios ban automatically, and every ban expires.</span>
      </Empty>
    )
  return (
    <section className="card">
      <h2>{bans.length === 1 ? '1 measure in force' : `${bans.length} measures in force`}</h2>
      {problem !== undefined && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
      <table className="cards-on-phone">
        <thead>
          <tr>
            <th scope="col">Actor</th>
            <th scope="col">Measure</th>
            <th scope="col">Why</th>
            <th scope="col">By</th>
            <th scope="col">Ends in</th>
            <th scope="col">
              <span className="visually-hidden">Action</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {bans.map(ban => (
            <tr key={ban.id}>
              <td className="mono wrap">{ban.actor}</td>
              <td>
                <span className={`badge ${ban.measure === 'block' ? 'deny' : ban.measure}`}>
                  {ban.measure}
                </span>
              </td>
              <td className="wrap">{ban.reason}</td>
              <td className="mono wrap">{ban.origin}</td>
              <td title={dateTime(ban.expiresAt)}>{span(ban.expiresAt - now)}</td>
              <td className="number">
                {may && (
                  <button
                    type="button"
                    className="button small"
                    aria-label={`Unban ${ban.actor}`}
                    onClick={() => void end(ban)}
                  >
                    Unban
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
