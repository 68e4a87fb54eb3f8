import type { Client, Configuration } from 'oidc-provider'
import type { IdentityParts } from '../parts/identity-parts.ts'
import { publicFetch } from './public-fetch.ts'

type Features = NonNullable<Configuration['features']>

/** Documents that are fetched at once: each is a connection to an address of a stranger's choice. */
const MAX_FETCHES = 16
/** Characters that change the order or look of what stands around them: controls, bidirectional marks. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
const MAX_NAME = 80

/**
 * Clients that are the URL of their own metadata (OAuth Client ID Metadata Document): anybody is one who can
 * put a file on the web. Such a client acts for people who allowed it and for nobody else; so one whose
 * metadata asks for the grant of services, which nobody is asked about, is refused.
 */
export function urlClients(mode: 'yes' | 'no'): Features['clientIdMetadataDocument'] {
  return {
    enabled: mode === 'yes',
    ack: 'draft-02',
    allowClient: (_ctx: unknown, client: Client) => !client.grantTypeAllowed('client_credentials'),
  } as Features['clientIdMetadataDocument']
}

/** Fetches what a stranger's metadata names, a few at a time; more are refused, and may come again. */
export function metadataFetch(): (url: unknown) => Promise<Response> {
  let open = 0
  return async url => {
    if (open >= MAX_FETCHES) throw new Error('too many documents of clients are being fetched')
    open++
    try {
      return await publicFetch(String(url))
    } finally {
      open--
    }
  }
}

/** Whether a client is known by a document that it wrote itself. */
function isUrlClient(client: object): boolean {
  return 'clientIdMetadataDocument' in client && client.clientIdMetadataDocument === true
}

/**
 * Whether a client may learn about a token (RFC 7662). One that is public proves nothing about itself, and
 * one that wrote its own metadata only that it has a key: they learn about their own tokens. What an account
 * that is disabled allowed is not in force, at APIs that ask here either.
 */
export async function mayIntrospect(
  client: Client,
  token: object,
  accounts: IdentityParts['accounts'],
): Promise<boolean> {
  const isOwn = 'clientId' in token && token.clientId === client.clientId
  if (!isOwn && (client.clientAuthMethod === 'none' || isUrlClient(client))) return false
  if (!('accountId' in token) || typeof token.accountId !== 'string') return true
  const account = await accounts.byId(token.accountId)
  return account !== undefined && account.disabledAt === undefined
}

/**
 * What people read about a client: what it calls itself, and, where it can call itself anything, the host of
 * the URL that it is.
 */
export function clientLabel(client: Pick<Client, 'clientId' | 'clientName'>): string {
  const name = (client.clientName ?? client.clientId).replace(INVISIBLE, '').trim().slice(0, MAX_NAME)
  if (!isUrlClient(client) || !URL.canParse(client.clientId)) return name
  const { host } = new URL(client.clientId)
  return `${client.clientName === undefined ? '' : name} (${host})`.trim()
}
