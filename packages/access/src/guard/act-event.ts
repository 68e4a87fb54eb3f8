import type { Act, Event, StepUpProof } from '@postern/core'
import type { ApprovalGrant } from '../approval/approval.ts'
import type { AccessRefusal } from './access-refusal.ts'
import type { ActQuestion } from './act-question.ts'

/** What allowed an act: the policy, when policies were asked, and what was used up. */
export interface Allowance {
  readonly policy: string | undefined
  readonly proof: StepUpProof | undefined
  readonly grant: ApprovalGrant | undefined
}

/** `act.permitted`: who may do what, by which policy, proof and consent. @param time epoch milliseconds */
export function permittedEvent(question: ActQuestion, act: Act, by: Allowance, time: number): Event {
  const { policy, proof, grant } = by
  return {
    ...actEvent('act.permitted', question, act, time),
    decision: 'allow',
    data: {
      actor: act.actor,
      arguments: act.arguments,
      ...(policy !== undefined && { policy }),
      ...(question.principal.actor !== undefined && { actingAs: question.principal.actor }),
      ...(proof !== undefined && { amr: proof.amr, provenAt: proof.time }),
      ...(proof?.confirmation !== undefined && { confirmation: { ...proof.confirmation } }),
      ...(grant !== undefined && { approval: grant.id, approvedBy: grant.approvedBy }),
    },
  }
}

/** `act.refused`: who wanted to do what, and what was missing. @param time epoch milliseconds */
export function refusedEvent(question: ActQuestion, act: Act, refusal: AccessRefusal, time: number): Event {
  return {
    ...actEvent('act.refused', question, act, time),
    decision: refusal.status === 401 ? 'challenge' : refusal.status === 429 ? 'throttle' : 'deny',
    guard: 'access',
    reasons: [{ rule: `access/${refusal.why}`, message: refusal.message }],
    data: {
      actor: act.actor,
      why: refusal.why,
      ...(refusal.policy !== undefined && { policy: refusal.policy }),
      ...(refusal.approval !== undefined && { approval: refusal.approval.id }),
    },
  }
}

function actEvent(type: string, question: ActQuestion, act: Act, time: number): Event {
  const { principal, exchange, resource } = question
  const slash = act.resource.indexOf('/')
  return {
    type,
    time,
    actor: {
      ...(exchange !== undefined && { address: exchange.client }),
      ...(principal.id !== '' && { principal: principal.id }),
      ...(principal.tenant !== undefined && { tenant: principal.tenant }),
    },
    ...(exchange !== undefined && {
      request: {
        id: exchange.id,
        method: exchange.method.slice(0, 32),
        host: exchange.host.slice(0, 255),
        path: exchange.path.canonical.slice(0, 1_024).toWellFormed(),
        query: '',
        ...(exchange.route !== undefined && { route: exchange.route.pattern }),
      },
    }),
    action: act.action,
    resource: {
      type: resource?.type ?? '',
      ...(slash >= 0 && { id: act.resource.slice(slash + 1) }),
    },
  }
}
