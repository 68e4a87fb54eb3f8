import { type ApiCall, ApiProblem, type ApiRoute } from './api-route.ts'
import { bodyText, bodyTexts, pathText } from './call-values.ts'
import { ROLES, type Role } from './console-session.ts'
import { type OperatorAccounts, type OperatorChange, rolesOf } from './operator-accounts.ts'

const ACCOUNT_ID = /^[\w-]{1,64}$/

/** Who may sign in to the console: what `postern console operators` does. */
export const operatorRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/operators',
    role: 'viewer',
    summary: 'Accounts of the console, those who were invited and did not come yet among them.',
    answer: '`operators`, newest first.',
    shape: {
      operators: [
        {
          id: 'string',
          name: 'string',
          roles: [ROLES.join('|')],
          createdAt: 'time',
          isInvited: 'boolean',
          passkeys: [{ id: 'string', name: 'string', createdAt: 'time', usedAt: 'time?' }],
        },
      ],
    },
    handle: async call => ({ operators: (await call.parts.operators?.list()) ?? [] }),
  },
  {
    method: 'POST',
    path: '/operators',
    role: 'administrator',
    summary:
      'Invites somebody, who then signs in with a passkey; nobody can invite to a role they lack, nor to approver.',
    body: {
      name: { type: 'string', required: true, description: 'E-mail address: the name in the audit log.' },
      roles: { type: 'strings', description: 'viewer, operator, administrator. Default: viewer.' },
    },
    answer: '`invitation`: goes after `#invitation=` in the address of the console; good once, for a day.',
    shape: { invitation: 'string' },
    handle: async call => {
      const name = bodyText(call, 'name').trim().slice(0, 320)
      const roles = wantedRoles(call)
      await note(call, 'operators.invite', { name, roles: [...roles] })
      return { invitation: await deskOf(call).invite(name, roles) }
    },
  },
  {
    method: 'POST',
    path: '/operators/{operator}/roles',
    role: 'administrator',
    summary: 'Says what an operator may, in place of what they might before; their sessions end.',
    body: {
      roles: { type: 'strings', required: true, description: 'viewer, operator, administrator, approver.' },
    },
    answer:
      '`changed`. Nobody grants a role they lack; approver is granted by `postern console grant` only. A role that somebody has stays with them. The last who has a role keeps it: 409.',
    shape: { changed: 'boolean' },
    handle: async call => {
      const id = pathText(call, 'operator', ACCOUNT_ID)
      const held = (await deskOf(call).list()).find(operator => operator.id === id)?.roles
      const roles = wantedRoles(call, held)
      await note(call, 'operators.roles', { account: id, roles: [...roles] })
      return { changed: isChanged(await deskOf(call).setRoles(id, roles)) }
    },
  },
  {
    method: 'DELETE',
    path: '/operators/{operator}',
    role: 'administrator',
    summary: 'Removes an account with its passkeys; its sessions end.',
    answer: '`removed`. The last who has a role cannot be removed: 409.',
    shape: { removed: 'boolean' },
    handle: async call => {
      const id = pathText(call, 'operator', ACCOUNT_ID)
      await note(call, 'operators.remove', { account: id })
      return { removed: isChanged(await deskOf(call).remove(id)) }
    },
  },
]

function deskOf({ parts }: ApiCall): OperatorAccounts {
  if (parts.operators !== undefined) return parts.operators
  throw new ApiProblem(404, 'this console keeps no accounts')
}

/**
 * Roles of the body. Whoever grants a role has it. Nobody grants approver here: who asks for an approval
 * could else make the second person who decides it.
 * @param held roles that need no granting
 */
function wantedRoles(call: ApiCall, held: readonly Role[] = []): readonly Role[] {
  const asked = bodyTexts(call, 'roles')
  const unknown = asked.find(role => !ROLES.includes(role as Role))
  if (unknown !== undefined) throw new ApiProblem(400, `roles: must be of ${ROLES.join(', ')}`)
  const roles = rolesOf(asked)
  const lacking = roles.find(role => !call.session.roles.has(role) && !held.includes(role))
  if (lacking !== undefined) throw new ApiProblem(403, `you cannot grant the role ${lacking}, which you lack`)
  if (roles.includes('approver') && !held.includes('approver'))
    throw new ApiProblem(
      403,
      'approvers are made on the machine of the gateway: postern console invite EMAIL --role approver',
    )
  return roles
}

/** @throws ApiProblem 409 for the last one of a role */
function isChanged(change: OperatorChange): boolean {
  if (change === 'changed' || change === 'unchanged') return change === 'changed'
  throw new ApiProblem(409, `the ${change} stays: give somebody else that role first`)
}

function note(
  { parts, session }: ApiCall,
  action: string,
  data: Readonly<Record<string, string | string[]>>,
): Promise<void> {
  return parts.record({ action, resource: { type: 'console' }, data }, session.name)
}
