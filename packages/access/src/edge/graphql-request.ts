import { type BodyPrefix, type Exchange, type Json, multipartTexts } from '@postern/core'
import { countDocument, countMutations, type MutationCount } from './count-graphql.ts'
import { bodyFormat, parseBody } from './named-units.ts'

/** Paths under which servers of GraphQL answer by default. */
const USUAL_PATH = /(?:graphql|gql|graph)\/?$/i
/** The type of a document by itself (GraphQL over HTTP, before its draft). */
const DOCUMENT_TYPE = /^\s*application\/graphql\s*(?:;|$)/i

/**
 * What a request to a server of GraphQL would change, however the document is sent: in the query, as JSON, as
 * a form, as the part `operations` of a multipart form, or as the body itself (GraphQL over HTTP; GraphQL
 * multipart requests; graphql-http). Undefined when it holds no document.
 * @returns `unread` when it may hold one that cannot be read: a coding that is not known, or a body that is
 *   longer than guards may read, at a path that servers of GraphQL use
 */
export async function graphqlMutations(exchange: Exchange): Promise<MutationCount | 'unread' | undefined> {
  const inBody = exchange.hasBody ? await mutationsInBody(exchange) : undefined
  if (inBody === 'unread') return inBody
  const { query } = exchange.path
  // Servers differ in which they take when both hold a document.
  return query.includes('mutation') ? most(inBody, countFields([...new URLSearchParams(query)])) : inBody
}

async function mutationsInBody(exchange: Exchange): Promise<MutationCount | 'unread' | undefined> {
  const type = exchange.header('content-type')?.trim() ?? ''
  const isDocument = DOCUMENT_TYPE.test(type)
  const format = bodyFormat(type)
  if (format === undefined && !isDocument) return undefined
  const body = await exchange.readDecodedBody()
  // Of an upload the operations come first (GraphQL multipart requests).
  const isReadable = body !== undefined && (body.complete || format === 'multipart')
  const count = isReadable ? countBody(body, format) : undefined
  const isUnread = count === undefined && body?.complete !== true
  return isUnread && USUAL_PATH.test(exchange.path.canonical) ? 'unread' : count
}

/** @param format undefined: the body is a document */
function countBody(body: BodyPrefix, format: ReturnType<typeof bodyFormat>): MutationCount | undefined {
  switch (format) {
    case undefined:
      return countDocument(textOf(body), null)
    case 'form':
      return countFields([...new URLSearchParams(textOf(body))])
    case 'multipart':
      return countFields(multipartTexts(textOf(body)))
    default: {
      const value = parseBody(body.bytes)
      return value === undefined ? undefined : countMutations(value)
    }
  }
}

/** Every pair counts, for servers differ in which of two they take. */
function countFields(pairs: readonly (readonly [string, string])[]): MutationCount | undefined {
  const variables = pairs.filter(([name]) => name === 'variables').map(([, value]) => jsonOf(value) ?? null)
  let count: MutationCount | undefined
  for (const [name, value] of pairs) {
    if (name !== 'query' && name !== 'operations') continue
    const found =
      name === 'query' ? countDocument(value, variables[0] ?? null) : countMutations(jsonOf(value) ?? null)
    count = most(count, found)
  }
  return count
}

function most(one: MutationCount | undefined, other: MutationCount | undefined): MutationCount | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return { deletes: Math.max(one.deletes, other.deletes), updates: Math.max(one.updates, other.updates) }
}

function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function textOf({ bytes }: BodyPrefix): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
