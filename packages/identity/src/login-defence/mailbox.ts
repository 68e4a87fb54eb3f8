import type { AccountReading } from './account-field.ts'
import type { Lane } from './lanes.ts'

/** Whose addresses have dots that mean nothing; those of the second are also addresses of the first. */
const GOOGLE = ['gmail.com', 'googlemail.com'] as const
/** Who begins a tag by a hyphen, which no name of an account holds there. */
const HYPHENED = /^yahoo\.|^(?:ymail|rocketmail)\.com$/

/**
 * The mailbox of an address that is written in one of its many ways (`a.lice+x@gmail.com`), as applications
 * normalise addresses (`normalizeEmail` of express-validator): for them all of these are one account, and
 * anybody has as many as he likes. Undefined for an address that is written as the mailbox is.
 */
function mailboxOf(account: string): string | undefined {
  const at = account.lastIndexOf('@')
  if (at < 1) return undefined
  const domain = account.slice(at + 1)
  const isGoogle = GOOGLE.some(name => name === domain)
  const [name = ''] = account.slice(0, at).split(HYPHENED.test(domain) ? /[+-]/ : '+', 1)
  const mailbox = isGoogle ? `${name.replaceAll('.', '')}@${GOOGLE[0]}` : `${name}@${domain}`
  return name === '' || mailbox === account ? undefined : mailbox
}

/**
 * Names that a try uses up besides its account: what else the request holds, and the mailbox, unless who asks
 * is known at this very account.
 */
export function namesBeside(
  { account, others = [] }: Extract<AccountReading, { kind: 'account' }>,
  lane: Lane,
): readonly string[] {
  const mailbox = lane === 'unknown' ? mailboxOf(account) : undefined
  return mailbox === undefined ? others : [...others, `mailbox of ${mailbox}`]
}
