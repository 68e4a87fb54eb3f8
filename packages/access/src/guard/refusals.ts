import { formatDuration, type StepUpChallenge } from '@postern/core'
import type { Approval } from '../approval/approval.ts'
import { inWords } from '../approval/people.ts'
import type { AccessRefusal } from './access-refusal.ts'

/** Nobody has signed in. @param location where a browser does that, where it is known */
export function signInRefusal(location: string | undefined): AccessRefusal {
  return {
    why: 'sign-in',
    status: 401,
    message: 'You need to be signed in to do this.',
    next: 'Sign in, or send a credential.',
    headers: ['WWW-Authenticate', 'Bearer'],
    ...(location !== undefined && { stepUp: location }),
  }
}

/** Somebody is the wrong sort of caller. */
export function kindRefusal(kinds: Iterable<string>): AccessRefusal {
  return {
    why: 'kind',
    status: 403,
    message: 'This is not available to this kind of caller.',
    next: `It can be done by: ${[...kinds].join(', ')}.`,
    headers: [],
  }
}

/** A role is missing. */
export function roleRefusal(roles: readonly string[]): AccessRefusal {
  return {
    why: 'role',
    status: 403,
    message: `This needs the role ${roles.join(' or ')}, which you do not have.`,
    next: 'Ask an administrator for it, or ask somebody who has it to do this.',
    headers: [],
  }
}

/** Scopes are missing; as RFC 6750 section 3.1 writes it. Names have no quotes: the rule was checked. */
export function scopeRefusal(missing: readonly string[], all: readonly string[]): AccessRefusal {
  return {
    why: 'scope',
    status: 403,
    message: `Your credential lacks the scope ${missing.join(' ')}.`,
    next: 'Get a credential with it and try again.',
    headers: ['WWW-Authenticate', `Bearer error="insufficient_scope", scope="${all.join(' ')}"`],
  }
}

/** The caller acts for somebody else. */
export function impersonationRefusal(): AccessRefusal {
  return {
    why: 'impersonation',
    status: 403,
    message: 'This cannot be done while acting for somebody else.',
    next: 'Sign in as yourself, or let them do it.',
    headers: [],
  }
}

/**
 * A policy forbids it, or none allows it. The same words whether the resource is
 * somebody else's or not there at all.
 * @param isInRequest whether the caller gets a request id
 */
export function policyRefusal(policy: string, isInRequest: boolean): AccessRefusal {
  return {
    why: 'policy',
    status: 403,
    message: 'You may not do this here, or there is nothing here.',
    next: `If you think you should be able to, ask an administrator${isInRequest ? ' and give them the request id' : ''}.`,
    headers: [],
    policy,
  }
}

/** The caller is an agent, and it or its owner may not do this. */
export function agentRefusal(policy: string): AccessRefusal {
  return {
    why: 'policy',
    status: 403,
    message:
      'This agent may not do this: it is not in its list of actions, or its owner may not do it either.',
    next: 'Ask its owner to do it, or whoever runs this server to let the agent.',
    headers: [],
    policy,
  }
}

/** A fresh proof is needed. */
export function stepUpRefusal(
  { location, authenticate }: StepUpChallenge,
  isActBound: boolean,
): AccessRefusal {
  return {
    why: 'step-up',
    status: 401,
    message: isActBound
      ? 'This must be confirmed: prove that it is you, for this action.'
      : 'It has been a while since you proved that it is you.',
    next: location === '' ? 'Sign in again, then try again.' : `Confirm at ${location}, then try again.`,
    headers: ['WWW-Authenticate', authenticate],
    ...(location !== '' && { stepUp: location }),
  }
}

/** A fresh proof is needed, and the credential does not say when the last one was. */
export function unknownProofRefusal(within: number): AccessRefusal {
  return {
    why: 'step-up',
    status: 401,
    message: 'Your credential does not say when you proved that it is you.',
    next: 'Sign in again. If that does not help, ask whoever runs this server: its tokens need the claim auth_time.',
    headers: ['WWW-Authenticate', ownChallenge(within).authenticate],
  }
}

/** The challenge for an API client when no step-up provider supplies one (RFC 9470 section 3). */
export function ownChallenge(within: number): StepUpChallenge {
  return {
    location: '',
    authenticate: `Bearer error="insufficient_user_authentication", error_description="A more recent authentication is required", max_age="${Math.floor(within / 1_000)}"`,
  }
}

/** A second person has been asked, or has said no. */
export function approvalRefusal(approval: Approval, follow: string): AccessRefusal {
  const { id, state, expiresAt } = approval
  const common = {
    headers: ['Location', follow, 'Postern-Approval', id],
    approval: { id, state, follow, expiresAt },
  }
  const until = new Date(expiresAt).toISOString()
  if (state === 'denied')
    return {
      ...common,
      why: 'approval-denied',
      status: 403,
      message: `Approval ${id} was denied${approval.note === '' ? '.' : `: ${approval.note}`}`,
      next: `It can be asked for again after ${until}.`,
    }
  return {
    ...common,
    why: 'approval-pending',
    // Not 202: a client must not take a request that was not carried out for one that was.
    status: 403,
    message: `This needs the consent of a second person: ${approval.by.map(inWords).join(' or ')}. The request for it is open (approval ${id}).`,
    next: `Follow it at ${follow}; once it is granted, send the same request again, before ${until}.`,
  }
}

/** Somebody has asked for consent too often. @param message how often that is */
export function openRequestsRefusal(message: string): AccessRefusal {
  return {
    why: 'limit',
    status: 429,
    message,
    next: 'Ask again once some of them are decided or an hour is over.',
    headers: [],
  }
}

/** A budget of calls is used up. */
export function limitRefusal(what: string, retryMs: number): AccessRefusal {
  const retryAfter = Math.max(1, Math.ceil(retryMs / 1_000))
  return {
    why: 'limit',
    status: 429,
    message: `The budget for ${what} is used up.`,
    next: `Try again in ${formatDuration(retryAfter * 1_000)}, or ask the owner for a larger one.`,
    headers: ['Retry-After', String(retryAfter)],
    retryAfter,
  }
}
