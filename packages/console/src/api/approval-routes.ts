import { ApprovalRefused, type Approvals, peopleIn } from '@postern/access'
import { type ApiCall, ApiProblem, type ApiRoute } from './api-route.ts'
import type { ApiShape } from './api-shape.ts'
import { bodyText, queryText } from './call-values.ts'

const STATES = ['pending', 'approved', 'denied', 'used', 'expired', 'cancelled'] as const

const APPROVAL: ApiShape = {
  id: 'string',
  state: STATES.join('|'),
  act: 'map',
  digest: 'string',
  tenant: 'string',
  behind: ['string'],
  owner: 'string',
  by: ['string'],
  rows: 'integer?',
  budgets: ['string'],
  preview: 'map',
  reason: 'string',
  requestedAt: 'time',
  expiresAt: 'time',
  decidedBy: 'string?',
  decidedAt: 'time?',
  note: 'string',
}

const decision = (verb: 'approve' | 'deny', summary: string): ApiRoute => ({
  method: 'POST',
  path: `/approvals/{id}/${verb}`,
  role: 'approver',
  summary,
  body: { note: { type: 'string', description: 'For whoever asked.' } },
  answer: 'The request as it stands now.',
  shape: APPROVAL,
  handle: call => decide(call, verb),
})

/** Requests for a second person's consent: what `postern approvals` and `approve` do. */
export const approvalRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/approvals',
    role: 'viewer',
    summary: 'Requests of every tenant in one state, newest first, 100 at most.',
    query: { state: { type: 'string', description: 'Default: pending.', values: STATES } },
    answer:
      '`approvals`; `names`, what people are called who stand in them as `user:ID`; `kept` is false where the configuration keeps none.',
    shape: { kept: 'boolean', now: 'time?', names: 'map', approvals: [APPROVAL] },
    handle: async call => {
      const state = STATES.find(known => known === (queryText(call, 'state') ?? 'pending'))
      if (state === undefined) throw new ApiProblem(400, `state: must be one of ${STATES.join(', ')}`)
      const { approvals, clock, identity } = call.parts
      if (approvals === undefined) return { kept: false, names: {}, approvals: [] }
      const list = await approvals.listAll(state)
      const names = (await identity?.accounts.callNames(peopleIn(list))) ?? {}
      return { kept: true, now: clock.now(), names, approvals: list }
    },
  },
  decision('approve', 'Consents to a request, under the name of the person who is signed in.'),
  decision('deny', 'Denies a request, under the name of the person who is signed in.'),
]

function approvalsOf({ parts }: ApiCall): Approvals {
  if (parts.approvals !== undefined) return parts.approvals
  throw new ApiProblem(404, 'no approvals are kept here')
}

async function decide(call: ApiCall, verb: 'approve' | 'deny'): Promise<unknown> {
  const { parts, session, path } = call
  const { id = '' } = path
  if (!/^[0-9a-f]{32}$/.test(id)) throw new ApiProblem(404, 'that is not the id of a request')
  const note = bodyText(call, 'note', '')
  await parts.record(
    { action: `approval.${verb}`, resource: { type: 'approval', id }, data: { as: session.name, note } },
    session.name,
  )
  try {
    return await approvalsOf(call).decideAsOperator(id, session.name, verb, note)
  } catch (error) {
    if (error instanceof ApprovalRefused) throw new ApiProblem(409, error.message)
    throw error
  }
}
