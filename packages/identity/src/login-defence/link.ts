import { withSpelling } from './lane-outcome.ts'
import type { LaneRules } from './lane-rules.ts'
import { type LiveLink, type LoginRecord, remember, spellingIn } from './login-record.ts'

/** What is done about a request for a link. The answer to the caller is the same for both. */
export type LinkRequest =
  | { readonly kind: 'mail'; readonly record: LoginRecord }
  /**
   * One was mailed that still lives: whoever asked first is served by it, and an
   * attacker who asks again cannot replace it.
   */
  | { readonly kind: 'live' }

/**
 * A spelling that somebody signed in with has a link of its own, so that nobody keeps its owner from one by
 * asking for others; all the other spellings share one, so that nobody is mailed once for each.
 * @param asked digest of a fresh token, base64url, and the keyed hash of the spelling that the mail goes to:
 *   whoever opens it is known under this one, and at no other that its owner may not have; '' where the mail
 *   goes to another spelling than was typed, and nobody signed in with that
 */
export function requestLink(
  record: LoginRecord,
  asked: { readonly digest: string; readonly spelling: string },
  rules: LaneRules,
  now: number,
): LinkRequest {
  const as = spellingIn(record, asked.spelling)
  const live = record.links.filter(({ expiresAt }) => expiresAt > now)
  if (live.some(link => spellingIn(record, link.as) === as)) return { kind: 'live' }
  if (as === '' && record.mailedAt !== 0 && now - record.mailedAt < rules.linkEvery) return { kind: 'live' }
  const link: LiveLink = { digest: asked.digest, as: asked.spelling, expiresAt: now + rules.linkEvery }
  const mailedAt = as === '' ? now : record.mailedAt
  return { kind: 'mail', record: { ...record, mailedAt, links: [link, ...live], touched: now } }
}

/**
 * Opens a link, once: the browser that opened it becomes a known device with a lane of its own under the
 * spelling that was mailed, and failures in a row end as they do when its owner signs in. The same link asked
 * for again before its time is up is not mailed again; after it was opened, one may be, where somebody signed
 * in with that spelling.
 * @param device id for the browser that opened it
 * @returns undefined when there is no such live link
 */
export function openLink(
  record: LoginRecord,
  digest: string,
  device: string,
  now: number,
): LoginRecord | undefined {
  // Digests of 256 random bits: comparing them in variable time tells nothing that helps to find a token.
  const link = record.links.find(link => link.digest === digest && link.expiresAt > now)
  if (link === undefined) return undefined
  const { as } = link
  const opened = as === '' ? { ...record, unknownFailures: 0 } : withSpelling(record, as, true, now)
  return {
    ...opened,
    links: record.links.filter(other => other !== link),
    devices: remember(record.devices, { id: device, as, fullAt: 0, failures: 0, seen: now }),
    touched: now,
  }
}
