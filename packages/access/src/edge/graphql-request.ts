import {
  type BodyPrefix,
  DOCUMENT_ID_MEMBERS,
  type Exchange,
  multipartTexts,
  readTextBody,
  type TextBody,
} from '@postern/core'
import { countDocument, countMutations, type MutationCount } from './count-graphql.ts'
import { jsonOf, type SentDocuments } from './stored-documents.ts'

/** Paths under which servers of GraphQL answer by default. */
const USUAL_PATH = /(?:graphql|gql|graph)\/?$/i
/** The type of a document by itself (GraphQL over HTTP, before its draft). */
const DOCUMENT_TYPE = /^\s*application\/graphql\s*(?:;|$)/i

/**
 * What a request to a server of GraphQL would change, however the document is sent: in the query, as JSON, as
 * a form, as the part `operations` of a multipart form, or as the body itself (GraphQL over HTTP; GraphQL
 * multipart requests; graphql-http). Undefined when it holds no document.
 * @param documents of the request, and those that it may name by their hash
 * @returns `unread` when it may hold one that cannot be read: a coding that is not known, JSON that names
 *   a field twice, or a body that is longer than guards may read, at a path that servers of GraphQL use
 */
export async function graphqlMutations(
  exchange: Exchange,
  documents: SentDocuments,
): Promise<MutationCount | 'unread' | undefined> {
  const { query } = exchange.path
  const inQuery = mayNameMutation(query) ? [...new URLSearchParams(query)] : []
  const inBody = exchange.hasBody ? await mutationsInBody(exchange, documents, inQuery) : undefined
  if (inBody === 'unread') return inBody
  // Servers differ in which they take when both hold a document.
  return inQuery.length > 0 ? most(inBody, countFields(inQuery, documents)) : inBody
}

/** What a query holds that names a mutation, or a document by its hash. Any of it may have percent signs. */
const NAMES = /mutation|%|persistedQuery|variables=|=(?:sha256:)?[0-9a-f]{64}/i

/** Whether a query may hold a mutation, the hash of one, or variables of one in the body. */
export function mayNameMutation(query: string): boolean {
  return query !== '' && NAMES.test(query)
}

async function mutationsInBody(
  exchange: Exchange,
  documents: SentDocuments,
  inQuery: Pairs,
): Promise<MutationCount | 'unread' | undefined> {
  if (DOCUMENT_TYPE.test(exchange.header('content-type') ?? '')) {
    const document = await exchange.readDecodedBody()
    return document?.complete === true ? countDocument(textOf(document), null) : unread(exchange)
  }
  const body = await readTextBody(exchange)
  switch (body.kind) {
    case 'json':
      return countMutations(documents.filledIn(body.value))
    case 'form':
      return countFields([...new URLSearchParams(body.text)], documents, inQuery)
    case 'multipart':
      return countMultipart(exchange, body, documents, inQuery)
    case 'unreadable':
      return unread(exchange)
    default:
      return undefined
  }
}

/** Of an upload that is not read whole the operations come first (GraphQL multipart requests). */
function countMultipart(
  exchange: Exchange,
  body: Extract<TextBody, { readonly kind: 'multipart' }>,
  documents: SentDocuments,
  inQuery: Pairs,
): MutationCount | 'unread' | undefined {
  const fields = multipartTexts(body.text)
  if (fields === undefined) return unread(exchange)
  return countFields(fields, documents, inQuery) ?? (body.complete ? undefined : unread(exchange))
}

function unread(exchange: Exchange): 'unread' | undefined {
  return USUAL_PATH.test(exchange.path.canonical) ? 'unread' : undefined
}

const MAX_VARIABLES = 20

type Pairs = readonly (readonly [string, string])[]

/**
 * Every pair counts, for servers differ in which of two they take.
 * @param more pairs that variables may stand in as well
 */
function countFields(pairs: Pairs, documents: SentDocuments, more: Pairs = []): MutationCount | undefined {
  const variables = [...pairs, ...more]
    .filter(([name]) => name === 'variables')
    .map(([, value]) => jsonOf(value) ?? null)
  if (variables.length === 0) variables.push(null)
  let count: MutationCount | undefined
  const countText = (text: string): void => {
    for (const given of variables.slice(0, MAX_VARIABLES)) count = most(count, countDocument(text, given))
  }
  for (const [name, value] of pairs) {
    if (name === 'operations') count = most(count, countMutations(documents.filledIn(jsonOf(value) ?? null)))
    else if (name === 'query') {
      documents.note(value)
      countText(value)
    } else if (name === 'extensions' || DOCUMENT_ID_MEMBERS.includes(name)) {
      const text = documents.named({ [name]: value })
      if (text !== undefined) countText(text)
    }
  }
  return count
}

function most(one: MutationCount | undefined, other: MutationCount | undefined): MutationCount | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return { deletes: Math.max(one.deletes, other.deletes), updates: Math.max(one.updates, other.updates) }
}

function textOf({ bytes }: BodyPrefix): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
