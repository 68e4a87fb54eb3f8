import type { AccountReading } from './account-field.ts'
import type { Lane } from './lanes.ts'

/** Of one provider, the domains that share its mailboxes, the first of which stands for all. */
const SHARED: readonly (readonly string[])[] = [
  ['gmail.com', 'googlemail.com'],
  ['yandex.ru', 'ya.ru', 'yandex.com', 'yandex.by', 'yandex.kz', 'yandex.ua'],
  ['icloud.com', 'me.com', 'mac.com'],
  ['proton.me', 'protonmail.com', 'protonmail.ch', 'pm.me'],
]
const MAIN: ReadonlyMap<string, string> = new Map(
  SHARED.flatMap(domains => domains.map(domain => [domain, domains[0] ?? domain] as const)),
)
/** What means nothing in a name there. */
const UNREAD: ReadonlyMap<string, RegExp> = new Map([
  ['gmail.com', /\./g],
  ['live.com', /\./g],
  ['yandex.ru', /[.-]/g],
  ['proton.me', /[._-]/g],
])
/** Who begins a tag by a hyphen, which no name of an account holds there. */
const HYPHENED = /^yahoo\.|^(?:ymail|rocketmail)\.com$/

/** A name that a try uses up besides its account; the kind keeps those apart that a client may write. */
export interface NameBeside {
  readonly kind: 'other name' | 'other mailbox' | 'mailbox'
  readonly name: string
}

/**
 * The mailbox of an address that is written in one of its many ways (`a.lice+x@gmail.com`), as applications
 * normalise addresses (`normalizeEmail` of express-validator): for them all of these are one account, and
 * anybody has as many as he likes. Undefined for an address that is written as the mailbox is.
 */
export function mailboxOf(account: string): string | undefined {
  const at = account.lastIndexOf('@')
  if (at < 1) return undefined
  const given = account.slice(at + 1)
  const domain = MAIN.get(given) ?? given
  const [tagged = ''] = account.slice(0, at).split(HYPHENED.test(domain) ? /[+-]/ : '+', 1)
  const unread = UNREAD.get(domain)
  const name = unread === undefined ? tagged : tagged.replace(unread, '')
  const mailbox = `${name}@${domain}`
  return name === '' || mailbox === account ? undefined : mailbox
}

/**
 * Names that a try uses up besides its account: what else the request holds, in each of its ways to be
 * written, and the mailbox, unless who asks is known at this very account.
 */
export function namesBeside(
  { account, others = [] }: Extract<AccountReading, { kind: 'account' }>,
  lane: Lane,
): readonly NameBeside[] {
  const mailbox = lane === 'unknown' ? mailboxOf(account) : undefined
  return [
    ...others.map(name => ({ kind: 'other name', name }) as const),
    ...others.flatMap(other => ofKind('other mailbox', mailboxOf(other))),
    ...ofKind('mailbox', mailbox),
  ]
}

function ofKind(kind: NameBeside['kind'], name: string | undefined): readonly NameBeside[] {
  return name === undefined ? [] : [{ kind, name }]
}
