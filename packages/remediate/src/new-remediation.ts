import type { RandomSource, Remediation } from '@postern/core'

const ID_BYTES = 12

/** What a remediation starts from. */
export interface RemediationStart {
  /** Epoch milliseconds. */
  readonly now: number
  /** Milliseconds from now. */
  readonly duration: number
  /** The one of the same actor, measure and origin that is in force already: it is prolonged. */
  readonly twin: Remediation | undefined
  readonly random: RandomSource
}

/** A remediation that begins now, or goes on under the id of its twin. */
export function newRemediation(
  what: Pick<Remediation, 'actor' | 'measure' | 'reason' | 'origin'>,
  { now, duration, twin, random }: RemediationStart,
): Remediation {
  const { actor, measure, reason, origin } = what
  const expiresAt = now + duration
  return {
    id: twin?.id ?? Buffer.from(random.bytes(ID_BYTES)).toString('base64url'),
    actor,
    measure,
    reason: reason.slice(0, 500),
    origin: origin.slice(0, 100),
    createdAt: twin?.createdAt ?? now,
    // A person may shorten a remediation; a scenario that fires again only prolongs it.
    expiresAt: origin === 'manual' ? expiresAt : Math.max(expiresAt, twin?.expiresAt ?? 0),
  }
}
