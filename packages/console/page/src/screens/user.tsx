import type { FormEvent, ReactNode } from 'react'
import { ask } from '../lib/api.ts'
import { dateTime } from '../lib/format.ts'
import { encoded, to } from '../lib/route.ts'
import { useMay } from '../lib/session.ts'
import type { ApiKeyRow, UserRow, UserSession } from '../lib/types.ts'
import { useAct } from '../lib/use-act.ts'
import { useAsked } from '../lib/use-asked.ts'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { Fact } from '../parts/facts.tsx'
import { Problem } from '../parts/problem.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { KeyTable } from './keys.tsx'
import { SessionTable, UserState } from './users.tsx'

interface User {
  readonly user: UserRow
  readonly factors: {
    readonly password: boolean
    readonly passkeys: readonly { readonly id: string; readonly name: string }[]
    readonly authenticator: boolean
    readonly recoveryCodes: number
    readonly providers: readonly string[]
  }
  readonly sessions: readonly UserSession[]
  readonly keys: readonly Omit<ApiKeyRow, 'isLive'>[]
}

/** One account: what it proves itself by, where it is signed in, and its keys. */
export function UserScreen({ id }: { readonly id: string }): ReactNode {
  const asked = useAsked<User>(`/users/${encoded(id)}`)
  return (
    <div className="stack">
      <Loaded asked={asked}>{loaded => <Contents {...loaded} onDone={asked.again} />}</Loaded>
    </div>
  )
}

function Contents({
  user,
  factors,
  sessions,
  keys,
  onDone,
}: User & { readonly onDone: () => void }): ReactNode {
  const may = useMay('operator')
  const mayGrant = useMay('administrator')
  const { problem, run } = useAct()
  const post = (verb: string, body: object = {}): Promise<void> =>
    run(async () => {
      await ask(`/users/${encoded(user.id)}/${verb}`, { method: 'POST', body })
      onDone()
    })
  const now = Date.now()
  return (
    <>
      <div className="row spread">
        <h1>
          <span className="muted">user</span> <span className="wrap">{user.email}</span>
        </h1>
        {may && (
          <div className="row">
            {user.disabledAt === undefined ? (
              <ConfirmButton label={`Disable ${user.email}`} onConfirm={() => void post('disable')}>
                Disable
              </ConfirmButton>
            ) : (
              <button type="button" className="button small" onClick={() => void post('enable')}>
                Enable
              </button>
            )}
          </div>
        )}
      </div>
      <Problem text={problem} />
      <div className="halves">
        <section className="card">
          <h2>Account</h2>
          <dl className="facts">
            <Fact name="State">
              <UserState user={user} />
            </Fact>
            <Fact name="Id">
              <a className="mono" href={to('actor', 'principal', user.id)}>
                {user.id}
              </a>
            </Fact>
            <Fact name="Since">{dateTime(user.createdAt)}</Fact>
          </dl>
          {mayGrant && (
            <form
              className="row roles-form"
              onSubmit={(event: FormEvent<HTMLFormElement>) => {
                event.preventDefault()
                const text = String(new FormData(event.currentTarget).get('roles') ?? '')
                void post('roles', { roles: text.split(/[\s,]+/).filter(role => role !== '') })
              }}
            >
              <label className="field">
                Roles
                <input
                  className="input mono"
                  name="roles"
                  defaultValue={user.roles.join(', ')}
                  placeholder="none"
                />
              </label>
              <button type="submit" className="button">
                Save
              </button>
            </form>
          )}
        </section>
        <section className="card">
          <h2>Sign-in methods</h2>
          <dl className="facts">
            <Fact name="Password">{factors.password ? 'yes' : 'none'}</Fact>
            <Fact name="Passkeys">{factors.passkeys.map(({ name }) => name).join(', ') || 'none'}</Fact>
            <Fact name="Authenticator app">{factors.authenticator ? 'yes' : 'none'}</Fact>
            <Fact name="Recovery codes left">{factors.recoveryCodes}</Fact>
            <Fact name="Identity providers">{factors.providers.join(', ') || 'none'}</Fact>
          </dl>
        </section>
      </div>
      <section className="card">
        <div className="row spread">
          <h2>Sessions</h2>
          {may && sessions.length > 0 && (
            <ConfirmButton label="End all sessions" onConfirm={() => void post('sessions/end')}>
              End all
            </ConfirmButton>
          )}
        </div>
        {sessions.length === 0 ? (
          <Empty title="Not signed in anywhere" />
        ) : (
          <SessionTable sessions={sessions} onDone={onDone} isOfOne />
        )}
      </section>
      {keys.length > 0 && (
        <KeyTable
          keys={keys.map(key => ({
            ...key,
            isLive: key.revokedAt === undefined && (key.expiresAt === undefined || key.expiresAt > now),
          }))}
          onDone={onDone}
        />
      )}
    </>
  )
}
