import { combine, split } from 'shamir-secret-sharing'
import { concat, equalBytes, fromBase64, toBase64 } from './bytes.ts'
import { HeldError } from './held-error.ts'
import { type HeldSuite, Member } from './member.ts'

/**
 * Shares of a member's secret for several people or places, of which `threshold` together recover it (Shamir,
 * over GF(2^8)). Fewer learn nothing. Each is text to print or to keep in a safe.
 * @throws HeldError unless 2 <= threshold <= shares <= 255
 */
export async function recoveryShares(
  member: Member,
  shares: number,
  threshold: number,
): Promise<readonly string[]> {
  if (!(threshold >= 2 && threshold <= shares && shares <= 255))
    throw new HeldError('recovery shares: at least 2 of them together, and no more than there are')
  const root = concat(member.exportRoot())
  // A check inside what is shared: too few shares combine to something too, and it
  // must not pass for the secret.
  const check = new Uint8Array(await crypto.subtle.digest('SHA-256', root)).subarray(0, 8)
  const made = await split(concat(root, check), shares, threshold)
  return made.map(share => `pvs1.${member.public.suite}.${toBase64(share)}`)
}

/**
 * The member again, from enough shares. @throws HeldError when they are too few, of
 * different members, or mistyped
 */
export async function recoverFromShares(shares: readonly string[]): Promise<Member> {
  const parsed = shares.map(share => /^pvs1\.(x25519|x-wing)\.([A-Za-z0-9_-]+)$/.exec(share.trim()))
  const suites = new Set(parsed.map(match => match?.[1]))
  const [suite] = suites
  if (suites.size !== 1 || suite === undefined)
    throw new HeldError('recovery shares: one of them is not a share of this kind')
  let combined: Uint8Array
  try {
    combined = await combine(parsed.map(match => fromBase64(match?.[2] ?? '')))
  } catch {
    throw new HeldError('recovery shares: they do not belong together')
  }
  const root = concat(combined.subarray(0, 32))
  const check = new Uint8Array(await crypto.subtle.digest('SHA-256', root)).subarray(0, 8)
  if (combined.length !== 40 || !equalBytes(check, combined.subarray(32)))
    throw new HeldError('recovery shares: too few of them, or one is of another member')
  return Member.fromRoot(root, suite as HeldSuite)
}
