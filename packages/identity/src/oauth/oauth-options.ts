import type { ClientMetadata } from 'oidc-provider'

/** An API that tokens are for (RFC 8707). */
export interface OauthResource {
  /** Scopes a client may ask for. */
  readonly scopes: readonly string[]
  /**
   * `opaque` (the default) for this site. For an API elsewhere: `introspected` when it asks this server about
   * a token, `jwt` (RFC 9068) when it verifies tokens itself. A token for an API elsewhere is known to that
   * API, which could send it here; so it identifies no request here.
   */
  readonly tokens?: 'opaque' | 'introspected' | 'jwt'
}

/** The clients and resources of the OAuth server. */
export interface OauthServerOptions {
  /** Clients that are known beforehand, as RFC 7591 names their metadata. */
  readonly clients?: readonly ClientMetadata[]
  /** APIs by their URI. A request that names none is for the first. */
  readonly resources?: Readonly<Record<string, OauthResource>>
  /**
   * Whether a client may be a URL of its own metadata, as MCP clients are (OAuth
   * Client ID Metadata Document). Default `no`.
   */
  readonly metadataDocuments?: 'yes' | 'no'
  /**
   * Milliseconds in which the same client gets the same refresh token again for the one that it replaced.
   * Default 10 seconds; 0: never.
   */
  readonly refreshGraceMs?: number
}
