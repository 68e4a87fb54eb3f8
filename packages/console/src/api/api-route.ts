import type { ApiShape } from './api-shape.ts'
import type { ConsoleParts } from './console-parts.ts'
import type { ConsoleSession, Role } from './console-session.ts'

/** A request to the API, checked: who asks is known and may. */
export interface ApiCall {
  readonly parts: ConsoleParts
  readonly session: ConsoleSession
  /** Variables of the path, decoded. */
  readonly path: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: Readonly<Record<string, unknown>>
}

/** A field of a body or a parameter of a query, as the document describes it. */
export interface ApiField {
  readonly type: 'string' | 'integer' | 'strings' | 'object'
  readonly description: string
  readonly required?: true
  readonly values?: readonly string[]
}

/** One operation of the API. The document of the API is made from these. */
export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below `api`: `/requests/{id}`. */
  readonly path: string
  /** Who may: everybody who is signed in is a viewer. */
  readonly role: Role
  /** One sentence. */
  readonly summary: string
  readonly query?: Readonly<Record<string, ApiField>>
  readonly body?: Readonly<Record<string, ApiField>>
  /** What is answered with 200, in a sentence. */
  readonly answer: string
  /** The same as a schema: fields by name. */
  readonly shape: ApiShape
  /** @returns what is sent as JSON */
  handle(call: ApiCall): Promise<unknown> | unknown
}

/** An answer other than 200. */
export class ApiProblem extends Error {
  readonly status: number

  constructor(status: 400 | 403 | 404 | 409 | 503, message: string) {
    super(message)
    this.status = status
  }
}
