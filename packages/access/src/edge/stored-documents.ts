import { createHash } from 'node:crypto'
import { documentHashes, type Json } from '@postern/core'
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

  /** The text of a document by its hash. */
  get(hash: string): string | undefined {
    return this.#deletes.get(hash) ?? this.#updates.get(hash)
  }

  /** Keeps a document. @param deletes whether it deletes anything */
  keep(hash: string, text: string, deletes: boolean): void {
    const kept = deletes ? this.#deletes : this.#updates
    kept.delete(hash)
    kept.set(hash, text)
    const oldest = kept.size > MOST ? kept.keys().next().value : undefined
    if (oldest !== undefined) kept.delete(oldest)
  }
}

/**
 * The documents of one request. They are kept when it is allowed: a refused one reaches no server, and could
 * have others forgotten.
 */
export class SentDocuments {
  readonly #stored: StoredDocuments
  readonly #sent = new Map<string, { readonly text: string; readonly deletes: boolean }>()

  constructor(stored: StoredDocuments) {
    this.#stored = stored
  }

  /** Takes note of a document that is sent as text, if it holds a mutation. */
  note(text: string): void {
    if (!/\bmutation\b/.test(text)) return
    const { deletes, updates } = countDocument(text, null)
    if (deletes + updates === 0) return
    const hash = createHash('sha256').update(text).digest('hex')
    this.#sent.set(hash, { text: keptText(text), deletes: deletes > 0 })
  }

  /** Keeps them all. */
  keep(): void {
    for (const [hash, { text, deletes }] of this.#sent) this.#stored.keep(hash, text, deletes)
  }

  /**
   * A request or batch with the texts of the documents that it names by their hashes, those of its own
   * included. A hash that was not seen with its text stays as it is.
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
    const text = this.named(request)
    return text === undefined ? body : { ...request, query: text }
  }

  /** The text of the document that a request names by its hash, if it was seen. */
  named(request: { readonly [name: string]: Json }): string | undefined {
    for (const hash of documentHashes(request)) {
      const text = this.#stored.get(hash) ?? this.#sent.get(hash)?.text
      if (text !== undefined) return text
    }
    return undefined
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

/** JSON that may not be any; undefined then. */
export function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
