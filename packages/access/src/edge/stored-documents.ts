import { createHash } from 'node:crypto'
import type { Json } from '@postern/core'
import { countDocument } from './count-graphql.ts'
import { graphqlTokens } from './graphql-operations.ts'

/** Documents of each kind that are kept, and characters of one. */
const MOST = 1_000
const LONGEST = 16_384
/** Counts as any number of changes, because nobody may count so deep. */
const UNCOUNTABLE = `mutation {${'... {'.repeat(250)}`

/**
 * Mutations that were sent as text, by their SHA-256: servers of GraphQL keep such a document, and later
 * requests name it by its hash alone (automatic persisted queries, as Apollo has them by default). Those that
 * delete are kept apart, so that nobody can have one forgotten with as many that edit.
 */
export class StoredDocuments {
  readonly #deletes = new Map<string, string>()
  readonly #updates = new Map<string, string>()

  /** Keeps a document that was sent as text, if it holds a mutation. */
  note(text: string): void {
    if (!/\bmutation\b/.test(text)) return
    const { deletes, updates } = countDocument(text, null)
    if (deletes + updates === 0) return
    const kept = deletes > 0 ? this.#deletes : this.#updates
    const hash = createHash('sha256').update(text).digest('hex')
    kept.delete(hash)
    kept.set(hash, keptText(text))
    const oldest = kept.size > MOST ? kept.keys().next().value : undefined
    if (oldest !== undefined) kept.delete(oldest)
  }

  /**
   * A request or batch with the texts of the documents that it names by their hashes; what is sent as text is
   * kept. A hash that was not seen with its text stays as it is.
   */
  filledIn(body: Json): Json {
    if (Array.isArray(body)) return body.map(item => this.filledIn(item))
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
    const request = body as { readonly [name: string]: Json }
    const { query } = request
    // Some servers take an empty text for none, and look at the hash.
    if (typeof query === 'string' && query !== '') {
      this.note(query)
      return body
    }
    const hash = hashIn(request['extensions'])
    const text = this.#deletes.get(hash) ?? this.#updates.get(hash)
    return text === undefined ? body : { ...request, query: text }
  }
}

/**
 * What is kept of a document: one that is too long only without spaces and comments, for else anybody could
 * make it too long with them. One that is too long even so changes any number of things when it is named by
 * its hash; it passes as text.
 */
function keptText(text: string): string {
  if (text.length <= LONGEST) return text
  const short = graphqlTokens(text)?.join(' ') ?? ''
  return short === '' || short.length > LONGEST ? UNCOUNTABLE : short
}

/** `{persistedQuery: {sha256Hash}}`; empty where there is none. */
function hashIn(extensions: Json | undefined): string {
  const persisted = member(extensions, 'persistedQuery')
  const hash = member(persisted, 'sha256Hash')
  return typeof hash === 'string' ? hash.toLowerCase() : ''
}

function member(value: Json | undefined, name: string): Json | undefined {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as { readonly [name: string]: Json })[name]
    : undefined
}
