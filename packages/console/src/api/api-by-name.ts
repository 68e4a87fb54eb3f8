import { ApiProblem, type ApiRoute } from './api-route.ts'
import { matchApi } from './console-api.ts'
import type { ConsoleParts } from './console-parts.ts'
import { ROLES } from './console-session.ts'
import { recordedCall } from './recorded-call.ts'

/** An operation of the API, asked for by somebody at the command line of the machine. */
export interface NamedCall {
  readonly method: ApiRoute['method']
  /** Below `api`: `/activity`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Readonly<Record<string, unknown>>
  /** Name in the audit log. */
  readonly operator: string
}

/**
 * Answers an operation as the page's own call would be, so that the command line and the page cannot differ.
 * Whoever may use the command line of this machine has every role.
 * @throws ApiProblem as the operation; 404 for one that there is not
 */
export async function askApi(parts: ConsoleParts, call: NamedCall): Promise<unknown> {
  const matched = matchApi(call.method, call.path)
  if (matched === undefined) throw new ApiProblem(404, 'not found')
  return recordedCall(matched.route, {
    parts,
    session: { name: call.operator, roles: new Set(ROLES) },
    path: matched.path,
    query: new URLSearchParams(call.query),
    body: call.body ?? {},
  })
}
