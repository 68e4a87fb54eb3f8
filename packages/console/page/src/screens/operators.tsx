import { type FormEvent, type ReactNode, useState } from 'react'
import { ask } from '../lib/api.ts'
import { dateTime } from '../lib/format.ts'
import { encoded } from '../lib/route.ts'
import { useMay, useSession } from '../lib/session.ts'
import type { Role } from '../lib/types.ts'
import { useAct } from '../lib/use-act.ts'
import { useAsked } from '../lib/use-asked.ts'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { Problem } from '../parts/problem.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'

interface Operator {
  readonly id: string
  readonly name: string
  readonly roles: readonly Role[]
  readonly createdAt: number
  readonly isInvited: boolean
  readonly passkeys: readonly { readonly id: string; readonly name: string; readonly usedAt?: number }[]
}

const ROLES: readonly (readonly [Role, string])[] = [
  ['viewer', 'view'],
  ['operator', 'make changes'],
  ['administrator', 'manage access'],
  ['approver', 'decide approvals'],
]

/** Who may sign in to this console. */
export function OperatorsScreen(): ReactNode {
  const may = useMay('administrator')
  const asked = useAsked<{ readonly operators: readonly Operator[] }>('/operators')
  return (
    <div className="stack">
      <h1>Operators</h1>
      {may && <Invite onDone={asked.again} />}
      <Loaded asked={asked}>
        {({ operators }) =>
          operators.length === 0 ? (
            <Empty title="No operator has an account">
              <span>
                Until then a link signs in: <code>postern console link</code>.
              </span>
            </Empty>
          ) : (
            <Accounts operators={operators} onDone={asked.again} />
          )
        }
      </Loaded>
    </div>
  )
}

function Invite({ onDone }: { readonly onDone: () => void }): ReactNode {
  const { roles: own } = useSession()
  const [link, setLink] = useState<string>()
  const { isBusy, problem, run } = useAct()
  const submit = (form: HTMLFormElement): void => {
    const fields = new FormData(form)
    void run(async () => {
      const { invitation } = await ask<{ readonly invitation: string }>('/operators', {
        method: 'POST',
        body: { name: String(fields.get('name') ?? ''), roles: fields.getAll('roles').map(String) },
      })
      // After the #: it reaches no server, no log and no proxy.
      setLink(
        `${location.origin.replace('//127.0.0.1:', '//localhost:')}${location.pathname}#invitation=${invitation}`,
      )
      form.reset()
      onDone()
    })
  }
  return (
    <form
      className="card stack"
      onSubmit={(event: FormEvent<HTMLFormElement>) => {
        event.preventDefault()
        submit(event.currentTarget)
      }}
    >
      <div className="row invite">
        <label className="field grow">
          E-mail address
          <input
            className="input"
            name="name"
            type="email"
            required
            maxLength={320}
            placeholder="ann@example.com"
          />
        </label>
        <fieldset className="row checks">
          <legend className="visually-hidden">Roles</legend>
          {ROLES.filter(([role]) => own.includes(role) && role !== 'approver').map(([role, text]) => (
            <label key={role} className="row">
              <input type="checkbox" name="roles" value={role} defaultChecked={role === 'viewer'} />
              {text}
            </label>
          ))}
        </fieldset>
        <button type="submit" className="button primary" disabled={isBusy}>
          Invite
        </button>
      </div>
      <Problem text={problem} />
      {link !== undefined && (
        <div className="notice good stack" role="status">
          <p>Send them this link. It works once, within a day:</p>
          <pre className="command wrap">{link}</pre>
          <div className="row">
            <button
              type="button"
              className="button small"
              onClick={() => void navigator.clipboard.writeText(link).catch(() => undefined)}
            >
              Copy
            </button>
            <button type="button" className="button small" onClick={() => setLink(undefined)}>
              Done
            </button>
          </div>
        </div>
      )}
    </form>
  )
}

function Accounts({
  operators,
  onDone,
}: {
  readonly operators: readonly Operator[]
  readonly onDone: () => void
}): ReactNode {
  const may = useMay('administrator')
  const { problem, run } = useAct()
  const remove = (id: string): Promise<void> =>
    run(async () => {
      await ask(`/operators/${encoded(id)}`, { method: 'DELETE' })
      onDone()
    })
  return (
    <section className="card">
      <Problem text={problem} />
      <Table
        label="Operators"
        columns={[
          { title: 'Who' },
          { title: 'Roles' },
          { title: 'Passkeys' },
          { title: 'Since' },
          { title: 'Action', isHidden: true, isNumber: true },
        ]}
        rows={operators.map(({ id, name, roles, createdAt, isInvited, passkeys }) => ({
          key: id,
          cells: [
            <span key="who">
              {name} {isInvited && <span className="badge throttle">invited</span>}
            </span>,
            may ? (
              <RolesForm key="roles" id={id} name={name} roles={roles} onDone={onDone} />
            ) : (
              roles.join(', ')
            ),
            passkeys.map(passkey => passkey.name).join(', '),
            dateTime(createdAt),
            may && (
              <ConfirmButton label={`Remove ${name}`} onConfirm={() => void remove(id)}>
                Remove
              </ConfirmButton>
            ),
          ],
        }))}
      />
      <p className="muted small">
        Changing someone’s roles, or removing the account, ends their sessions. Only a command can add
        approvers only: <code>postern console grant EMAIL ROLE…</code>
      </p>
    </section>
  )
}

/** What somebody may: approver, and a role that one lacks, is not granted and stays with whoever has it. */
function RolesForm({
  id,
  name,
  roles,
  onDone,
}: {
  readonly id: string
  readonly name: string
  readonly roles: readonly Role[]
  readonly onDone: () => void
}): ReactNode {
  const { roles: own } = useSession()
  const [wanted, setWanted] = useState(roles)
  const { isBusy, problem, run } = useAct()
  const isChanged = ROLES.some(([role]) => wanted.includes(role) !== roles.includes(role))
  const save = (): Promise<void> =>
    run(async () => {
      await ask(`/operators/${encoded(id)}/roles`, { method: 'POST', body: { roles: wanted } })
      onDone()
    })
  return (
    <fieldset className="row checks">
      <legend className="visually-hidden">Roles of {name}</legend>
      {ROLES.filter(([role]) => role !== 'viewer').map(([role, text]) => (
        <label key={role} className="row">
          <input
            type="checkbox"
            checked={wanted.includes(role)}
            disabled={(!own.includes(role) || role === 'approver') && !roles.includes(role)}
            onChange={({ target }) =>
              setWanted(before =>
                target.checked ? [...before, role] : before.filter(other => other !== role),
              )
            }
          />
          {text}
        </label>
      ))}
      {isChanged && (
        <ConfirmButton label={`Change the roles of ${name}`} onConfirm={() => void save()}>
          {isBusy ? 'Changing…' : 'Change'}
        </ConfirmButton>
      )}
      <Problem text={problem} />
    </fieldset>
  )
}
