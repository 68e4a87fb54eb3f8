import { type ReactNode, useState } from 'react'
import { ask } from '../lib/api.ts'
import { dateTime } from '../lib/format.ts'
import { encoded, to } from '../lib/route.ts'
import { useMay } from '../lib/session.ts'
import type { UserRow, UserSession } from '../lib/types.ts'
import { useAct } from '../lib/use-act.ts'
import { useAsked } from '../lib/use-asked.ts'
import { useSettled } from '../lib/use-settled.ts'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { Problem } from '../parts/problem.tsx'
import { Segments } from '../parts/segments.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'

const SHOW = [
  ['users', 'Users'],
  ['sessions', 'Signed in now'],
] as const
const MOST_SHOWN = 200
/** Accounts that the server gives, the newest that match. */
const MOST_KNOWN = 1_000
/** Milliseconds without another letter, after which the server is asked. */
const TYPING_MS = 250

/** Accounts of built-in identity, and who is signed in. */
export function UsersScreen(): ReactNode {
  const [show, setShow] = useState<(typeof SHOW)[number][0]>('users')
  return (
    <div className="stack">
      <div className="row spread">
        <h1>Users</h1>
        <Segments label="Show" values={SHOW} value={show} onChange={setShow} />
      </div>
      {show === 'users' ? <Users /> : <Sessions />}
    </div>
  )
}

function NoIdentity(): ReactNode {
  return (
    <Empty title="Postern does not manage users here">
      <span>
        With <code>identity</code> in the configuration it signs people in itself.
      </span>
    </Empty>
  )
}

function Users(): ReactNode {
  const [wanted, setWanted] = useState('')
  const words = useSettled(wanted.trim(), TYPING_MS)
  const asked = useAsked<{ readonly kept: boolean; readonly users: readonly UserRow[] }>(
    words === '' ? '/users' : `/users?search=${encoded(words)}`,
  )
  return (
    <section className="card">
      {asked.value?.kept !== false && (
        <input
          className="input table-filter"
          type="search"
          aria-label="Filter by address, name or id"
          placeholder="Filter by address, name or id"
          maxLength={320}
          value={wanted}
          onChange={event => setWanted(event.target.value)}
        />
      )}
      <Loaded asked={asked}>
        {({ kept, users }) => {
          if (!kept) return <NoIdentity />
          return (
            <>
              {users.length === 0 ? (
                <Empty title={words === '' ? 'Nobody has signed up yet' : 'Nobody matches'} />
              ) : (
                <Table
                  label="Users"
                  columns={[{ title: 'User' }, { title: 'Roles' }, { title: 'Since' }, { title: 'State' }]}
                  rows={users.slice(0, MOST_SHOWN).map(user => ({
                    key: user.id,
                    cells: [
                      <a key="user" href={to('user', user.id)}>
                        {user.email} {user.name !== '' && <span className="muted">{user.name}</span>}
                      </a>,
                      <span key="roles" className="mono">
                        {user.roles.join(', ')}
                      </span>,
                      dateTime(user.createdAt),
                      <UserState key="state" user={user} />,
                    ],
                  }))}
                />
              )}
              {users.length > MOST_SHOWN && (
                <p className="muted small">
                  The newest {MOST_SHOWN} of{' '}
                  {users.length >= MOST_KNOWN ? `${MOST_KNOWN} or more` : users.length}: write more of the
                  address, the name or the id.
                </p>
              )}
            </>
          )
        }}
      </Loaded>
    </section>
  )
}

/** Whether an account may sign in. */
export function UserState({ user }: { readonly user: UserRow }): ReactNode {
  if (user.disabledAt !== undefined) return <span className="badge deny">disabled</span>
  if (user.emailVerifiedAt === undefined) return <span className="badge throttle">address not verified</span>
  return <span className="badge allow">active</span>
}

function Sessions(): ReactNode {
  const asked = useAsked<{ readonly kept: boolean; readonly sessions: readonly UserSession[] }>('/sessions')
  return (
    <Loaded asked={asked}>
      {({ kept, sessions }) => {
        if (!kept) return <NoIdentity />
        if (sessions.length === 0) return <Empty title="Nobody is signed in" />
        return (
          <section className="card">
            <SessionTable sessions={sessions} onDone={asked.again} isOfOne={false} />
          </section>
        )
      }}
    </Loaded>
  )
}

/** Sessions as a table, with a button to end each. @param isOfOne whether all are of one account */
export function SessionTable({
  sessions,
  onDone,
  isOfOne,
}: {
  readonly sessions: readonly UserSession[]
  readonly onDone: () => void
  readonly isOfOne: boolean
}): ReactNode {
  const may = useMay('operator')
  const { problem, run } = useAct()
  const end = ({ id, accountId }: UserSession): Promise<void> =>
    run(async () => {
      await ask(`/users/${encoded(accountId)}/sessions/end`, {
        method: 'POST',
        body: { session: id },
      })
      onDone()
    })
  return (
    <>
      <Problem text={problem} />
      <Table
        label="Sessions"
        columns={[
          { title: 'Device' },
          { title: 'From' },
          { title: 'Last seen' },
          { title: 'Signed in' },
          { title: 'By' },
          { title: 'Action', isHidden: true, isNumber: true },
        ]}
        rows={sessions.slice(0, MOST_SHOWN).map(session => ({
          key: session.id,
          cells: [
            <span key="device">
              {!isOfOne && (
                <a className="mono" href={to('user', session.accountId)}>
                  {session.accountId}{' '}
                </a>
              )}
              <span className="muted">{session.agent}</span>
              {session.impersonator !== undefined && (
                <span className="badge throttle">by {session.impersonator}</span>
              )}
            </span>,
            <a key="from" className="mono" href={to('actor', 'address', session.address)}>
              {session.address}
            </a>,
            dateTime(session.seenAt),
            dateTime(session.createdAt),
            <span key="by" className="mono">
              {session.amr.join(', ')}
            </span>,
            may && (
              <ConfirmButton label={`End the session ${session.id}`} onConfirm={() => void end(session)}>
                End
              </ConfirmButton>
            ),
          ],
        }))}
      />
    </>
  )
}
