import type { LaneRules } from './lane-rules.ts'
import { type LoginRecord, remember } from './login-record.ts'

/** What is done about a request for a link. The answer to the caller is the same for both. */
export type LinkRequest =
  | { readonly kind: 'mail'; readonly record: LoginRecord }
  /**
   * One was mailed that still lives: whoever asked first is served by it, and an
   * attacker who asks again cannot replace it.
   */
  | { readonly kind: 'live' }

/** @param digest of a fresh token, base64url */
export function requestLink(record: LoginRecord, digest: string, rules: LaneRules, now: number): LinkRequest {
  if (record.mailedAt !== 0 && now - record.mailedAt < rules.linkEvery) return { kind: 'live' }
  return {
    kind: 'mail',
    record: { ...record, mailedAt: now, link: { digest, expiresAt: now + rules.linkEvery }, touched: now },
  }
}

/**
 * Opens a link, once: the browser that opened it becomes a known device with a lane of its own, and the
 * lane of the unknown starts again, for the owner was here. The same link asked for again before its time is
 * up is not mailed again; after it was opened, one may be.
 * @param device id for the browser that opened it
 * @returns undefined when there is no such live link
 */
export function openLink(
  record: LoginRecord,
  digest: string,
  device: string,
  now: number,
): LoginRecord | undefined {
  const { link, ...rest } = record
  // Digests of 256 random bits: comparing them in variable time tells nothing that helps to find a token.
  if (link === undefined || link.digest !== digest || link.expiresAt <= now) return undefined
  return {
    ...rest,
    mailedAt: 0,
    unknownFailures: 0,
    devices: remember(record.devices, { id: device, fullAt: 0, failures: 0, seen: now }),
    touched: now,
  }
}
