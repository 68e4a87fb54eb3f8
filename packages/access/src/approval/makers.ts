import { ConfigError, type Principal } from '@postern/core'
import { asOneName, peopleBehind } from './people.ts'

/**
 * Whose a machine is, by the name under which it asks: `{ 'service:reports': 'user:ann' }`. `service:*` is
 * every service that has no entry of its own.
 */
export type MakerTable = Readonly<Record<string, string | readonly string[]>>

/** The people who hold the credential of whoever asks, as `user:ID`. */
export type MakersOf = (principal: Principal) => readonly string[]

const MACHINE = /^(?:service|apiKey):[^\s][^\n\0]{0,255}$/
const PERSON = /^user:[^\s][^\n\0]{0,255}$/
const MOST_MACHINES = 10_000
const MOST_MAKERS = 50
const OTHER_SERVICES = 'service:*'

/**
 * Reads a table of makers. Names are compared as people read them: a certificate for `Reports.example` is not
 * that of another machine than `reports.example`.
 * @throws ConfigError naming every entry that cannot hold
 */
export function makersOf(table: MakerTable, place = 'makers'): MakersOf {
  const byMachine = new Map<string, readonly string[]>()
  const issues = Object.entries(table).flatMap(([machine, given]) => {
    const makers = typeof given === 'string' ? [given] : given
    const name = asOneName(machine)
    const issue = problemOf(machine, makers, byMachine.has(name))
    byMachine.set(name, makers)
    return issue === undefined ? [] : [{ place: `${place}["${machine.slice(0, 100)}"]`, ...issue }]
  })
  if (byMachine.size > MOST_MACHINES)
    issues.push({ place, problem: `it names more than ${MOST_MACHINES} machines`, hint: 'use "service:*"' })
  if (issues.length > 0) throw new ConfigError(issues)
  const others = byMachine.get(OTHER_SERVICES) ?? []
  return principal => [
    ...new Set(
      peopleBehind(principal).flatMap(
        name => byMachine.get(asOneName(name)) ?? (name.startsWith('service:') ? others : []),
      ),
    ),
  ]
}

function problemOf(
  machine: string,
  makers: readonly string[],
  isTwice: boolean,
): { readonly problem: string; readonly hint: string } | undefined {
  if (!MACHINE.test(machine))
    return { problem: 'this is not a machine', hint: 'e.g. "service:reports", "service:*" or "apiKey:ID"' }
  if (isTwice)
    return { problem: 'another entry names the same machine', hint: 'upper and lower case are the same here' }
  if (makers.length === 0 || makers.length > MOST_MAKERS || makers.some(maker => !PERSON.test(maker)))
    return { problem: `its makers must be 1 to ${MOST_MAKERS} people`, hint: 'e.g. "user:ann"' }
  return undefined
}
