import type { Event, Remediation } from '@postern/core'

/**
 * What is recorded when a remediation begins or ends.
 * @param time epoch milliseconds
 */
export function remediationEvent(
  type: 'remediation.added' | 'remediation.removed',
  remediation: Remediation,
  time: number,
): Event {
  const { id, actor, measure, reason, origin, expiresAt } = remediation
  return {
    type,
    time,
    actor: actor.kind === 'network' || actor.kind === 'key' ? {} : { [actor.kind]: actor.value },
    data: { id, actorKind: actor.kind, actorValue: actor.value, measure, reason, origin, expiresAt },
  }
}
