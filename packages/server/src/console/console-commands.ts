import { ApiProblem, type NamedCall, type Operator, ROLES, rolesOf } from '@postern/console'
import { ConfigError, type Json } from '@postern/core'
import type { AdminCommand } from '../admin/admin-server.ts'
import type { RunningConsole } from './open-console.ts'

/**
 * What `postern console` asks of a running gateway.
 * @param record enters an act in the log before it is done
 */
export function consoleCommands(
  opened: Pick<RunningConsole, 'operators' | 'ask' | 'link' | 'invitationLink'> | undefined,
  record: (action: string, data: Readonly<Record<string, Json>>, operator: Json | undefined) => Promise<void>,
): Readonly<Record<string, AdminCommand>> {
  const running = (): NonNullable<typeof opened> => {
    if (opened !== undefined) return opened
    throw new ConfigError({
      place: 'console',
      problem: 'is off in this gateway',
      hint: 'set console: {} in the configuration, or start it with --console',
    })
  }
  const named = async (name: Json | undefined): Promise<Operator> => {
    const found = (await running().operators.list()).find(
      operator => operator.name === String(name).toLowerCase(),
    )
    if (found !== undefined) return found
    throw new ConfigError({
      place: 'name',
      problem: 'is not an operator of the console',
      hint: '`postern console operators` lists their names',
    })
  }
  const asked = async (call: Omit<NamedCall, 'operator'>, operator?: Json): Promise<Json> => {
    try {
      const by = typeof operator === 'string' ? operator.slice(0, 100) : 'command line'
      return JSON.parse(JSON.stringify(await running().ask({ ...call, operator: by }))) as Json
    } catch (error) {
      // What the API says is for people, and says how to do better.
      throw error instanceof ApiProblem
        ? new ConfigError({ place: call.path.slice(1, 40), problem: error.message })
        : error
    }
  }
  const ofRequest = (request: Json | undefined): string =>
    `/requests/${encodeURIComponent(String(request).slice(0, 100))}/false-positive`
  return {
    'console/activity': ({ days }) => asked({ method: 'GET', path: '/activity', query: texts({ days }) }),
    'console/graph': ({ hours, principal, type, id }) =>
      asked({ method: 'GET', path: '/graph', query: texts({ hours, principal, type, id }) }),
    'console/false-positives': () => asked({ method: 'GET', path: '/false-positives' }),
    'console/false-positive': ({ request, note, operator }) =>
      asked({ method: 'POST', path: ofRequest(request), body: { note: note ?? '' } }, operator),
    'console/no-false-positive': ({ request, operator }) =>
      asked({ method: 'DELETE', path: ofRequest(request) }, operator),
    'console/link': async ({ name, roles, operator }) => {
      const wanted = rolesOf(Array.isArray(roles) ? ROLES.filter(role => roles.includes(role)) : ROLES)
      const given = typeof name === 'string' ? name : undefined
      const open = running()
      // Whoever opens the link acts under the name that was asked for, which need not be their own.
      await record(
        'console.link',
        { ...(given !== undefined && { name: given }), roles: [...wanted] },
        operator,
      )
      return { link: open.link(given, wanted) }
    },
    'console/operators': async () =>
      JSON.parse(JSON.stringify({ operators: await running().operators.list() })) as Json,
    'console/invite': async ({ name, roles, operator }) => {
      const wanted = rolesOf(Array.isArray(roles) ? roles.map(String) : [])
      await record('operators.invite', { name: String(name), roles: [...wanted] }, operator)
      const secret = await running().operators.invite(String(name), wanted)
      return { link: running().invitationLink(secret) }
    },
    'console/roles': async ({ name, roles, operator }) => {
      const { id } = await named(name)
      const wanted = rolesOf(Array.isArray(roles) ? roles.map(String) : [])
      await record('operators.roles', { account: id, roles: [...wanted] }, operator)
      return { change: await running().operators.setRoles(id, wanted) }
    },
    'console/remove': async ({ name, operator }) => {
      const { id } = await named(name)
      await record('operators.remove', { account: id }, operator)
      return { change: await running().operators.remove(id) }
    },
  }
}

/** Those that were given, as a query has them. */
function texts(values: Readonly<Record<string, Json | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      typeof value === 'string' || typeof value === 'number' ? [[name, String(value)]] : [],
    ),
  )
}
