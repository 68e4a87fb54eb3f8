import type { ReactNode } from 'react'
import type { Verdict } from '../lib/types.ts'

const WORDS: Readonly<Record<Verdict, string>> = {
  allow: 'allowed',
  observed: 'observed',
  throttle: 'throttled',
  challenge: 'challenged',
  deny: 'denied',
}

export function verdictWord(verdict: Verdict): string {
  return WORDS[verdict]
}

export function VerdictBadge({ verdict }: { readonly verdict: Verdict }): ReactNode {
  return <span className={`badge ${verdict}`}>{WORDS[verdict]}</span>
}

/** Kinds of events that are named by a short word. */
const TYPES: Readonly<Record<string, string>> = {
  'remediation.added': 'ban',
  'remediation.removed': 'ban ended',
  'config.reloaded': 'config',
  'config.refused': 'config',
}

/** Whether a kind of event has a word that fits into a column; others are named by their type. */
export function hasBadge(type: string): boolean {
  return type === 'http' || type === 'finding' || type === 'operator' || TYPES[type] !== undefined
}

/** The decision about a request, or what else an event is. */
export function EventBadge({
  type,
  verdict,
}: {
  readonly type: string
  readonly verdict: Verdict
}): ReactNode {
  if (type === 'http') return <VerdictBadge verdict={verdict} />
  const kind = type === 'finding' ? 'throttle' : type === 'remediation.added' ? 'challenge' : ''
  return <span className={`badge ${kind}`}>{TYPES[type] ?? type}</span>
}
