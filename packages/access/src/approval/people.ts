import type { Principal } from '@postern/core'
import type { Approval } from './approval.ts'

/** Kind and id, as acts name an actor: `user:alice`. */
export function nameOf(principal: Principal): string {
  return `${principal.kind}:${principal.id}`
}

/** Everybody who acts when a principal acts: itself, and whoever impersonates it. */
export function peopleBehind(principal: Principal): readonly string[] {
  const { actor } = principal
  if (actor === undefined) return [nameOf(principal)]
  return [nameOf(principal), KINDED.test(actor) ? actor : `user:${actor}`]
}

/**
 * Everybody who stands behind a request of a principal, and does not decide it: also who made its key, and
 * whose machine it is, unless it is their own agent, whose acts its owner is to decide.
 * @param makers of the machine, as the configuration names them
 */
export function behindRequest(
  principal: Principal,
  { by, owner }: Pick<Approval, 'by' | 'owner'>,
  makers: readonly string[],
): readonly string[] {
  const { issuedBy } = principal
  const holders = issuedBy === undefined ? makers : [issuedBy, ...makers]
  const isOwnAgent = (holder: string): boolean => holder === owner && by.includes('owner')
  return [...new Set([...peopleBehind(principal), ...holders.filter(holder => !isOwnAgent(holder))])]
}

/**
 * A name as people read it, to compare whom a rule is about: whoever is refused as `ann` does not come back
 * as `Ann`. Only to forbid; what lets somebody do something compares exactly.
 */
export function asOneName(name: string): string {
  return name.normalize('NFKC').toLowerCase()
}

/** Ids may hold colons themselves: `idp:4711` is a person called so, not a kind. */
const KINDED = /^(?:user|service|apiKey):/

/** Every name that somebody has or had, by any one of them. */
export type NamesOf = (name: string) => readonly string[] | Promise<readonly string[]>

/** Other names of the people who act when a principal acts. */
export async function alsoCalled(principal: Principal, namesOf: NamesOf): Promise<readonly string[]> {
  const people = peopleBehind(principal).filter(name => name.startsWith('user:'))
  const names = await Promise.all(people.map(name => namesOf(name.slice('user:'.length))))
  return names.flat()
}

/**
 * Why somebody may not decide, as a sentence about them; undefined when they may.
 * @param names other names of theirs: under none of them may they stand behind the request
 */
export function whyNotApprover(
  principal: Principal,
  approval: Approval,
  names: readonly string[],
): string | undefined {
  if (principal.kind !== 'user' || principal.id === '')
    return 'Only a signed-in person can decide: a key or a service is nobody who could be asked.'
  if (approval.tenant !== (principal.tenant ?? '')) return 'The request belongs to another tenant.'
  const people = [...peopleBehind(principal), ...names.map(name => `user:${name}`)].map(asOneName)
  const behind = approval.by.includes('owner') ? approval.behind : [...approval.behind, approval.owner]
  const forbidden = behind.map(asOneName)
  // Who is called `user:olga` stands there as if they were olga: neither of them decides.
  if (people.some(person => forbidden.some(one => person === one || person === `user:${one}`)))
    return 'Nobody decides a request of their own, nor one made in their name, through an account they act for, or with a key or a machine of theirs.'
  // Consent under another's name is nobody's consent.
  if (principal.actor !== undefined)
    return 'Sign in as yourself: nobody decides while acting for somebody else.'
  if (approval.by.some(rule => isMet(rule, principal, approval.owner))) return undefined
  return `It takes ${approval.by.map(inWords).join(' or ')} to decide this.`
}

function isMet(rule: string, principal: Principal, owner: string): boolean {
  const colon = rule.indexOf(':')
  const [kind, value] = colon < 0 ? [rule, ''] : [rule.slice(0, colon), rule.slice(colon + 1)]
  if (kind === 'role') return value !== '' && principal.roles?.includes(value) === true
  if (kind === 'scope') return principal.scopes?.includes(value) === true
  if (kind === 'owner') return owner !== '' && owner === nameOf(principal)
  return rule === nameOf(principal)
}

/**
 * A person who runs the machine, as an approver of one request: its tenant and whatever role or
 * scope it asks for, under their own name.
 */
export function operatorPrincipal(id: string, { by, tenant }: Approval): Principal {
  const named = (kind: string): readonly string[] =>
    by.filter(rule => rule.startsWith(`${kind}:`)).map(rule => rule.slice(kind.length + 1))
  return { kind: 'user', id, roles: named('role'), scopes: named('scope'), ...(tenant !== '' && { tenant }) }
}

/** A rule for people: `the role owner`. */
export function inWords(rule: string): string {
  if (rule === 'owner') return "the agent's owner"
  const colon = rule.indexOf(':')
  const kind = rule.slice(0, colon)
  return kind === 'role' || kind === 'scope' ? `the ${kind} ${rule.slice(colon + 1)}` : rule
}

/** Everybody who stands in requests, as `user:ID`, also as who may decide. */
export function peopleIn(approvals: readonly Approval[]): readonly string[] {
  return approvals.flatMap(({ act, behind, owner, by }) => [act.actor, ...behind, owner, ...by])
}

/** `ann@shop.example (Ann), user:4711`: whom somebody who decides knows, and the id that the log has. */
export function calledBy(actor: string, names: Readonly<Record<string, string>>): string {
  const name = Object.hasOwn(names, actor) ? names[actor] : undefined
  return name === undefined ? actor : `${name}, ${actor}`
}
