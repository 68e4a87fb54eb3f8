import type { Json } from '../text/json.ts'

/** Members of a GraphQL request that servers read the id of a stored document from, beside `extensions`. */
export const DOCUMENT_ID_MEMBERS: readonly string[] = ['documentId', 'doc_id', 'queryId', 'hash', 'id']

/**
 * The SHA-256 of the document that a GraphQL request names in place of its text, in lower-case hexadecimal:
 * in `extensions.persistedQuery.sha256Hash` (automatic persisted queries, as Apollo has them), also where
 * `extensions` is JSON in JSON or a field of a form, or as the id of a document. All of them where there are
 * several.
 */
export function documentHashes(request: { readonly [name: string]: Json }): readonly string[] {
  const extensions = member(request, 'extensions')
  const read = typeof extensions === 'string' ? parsed(extensions) : extensions
  const ids = DOCUMENT_ID_MEMBERS.map(name => member(request, name))
  return [member(member(read, 'persistedQuery'), 'sha256Hash'), ...ids]
    .filter(hash => typeof hash === 'string')
    .map(hash => hash.toLowerCase().replace(/^sha256:/, ''))
    .filter(hash => /^[0-9a-f]{64}$/.test(hash))
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function member(value: Json | undefined, name: string): Json | undefined {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as { readonly [name: string]: Json })[name]
    : undefined
}
