/** The proxies whose forward-auth request is understood. */
export type ForwardDialect = 'nginx' | 'traefik' | 'caddy' | 'envoy'

/**
 * Which headers of a forward-auth request describe the original one; undefined where the request line itself
 * does.
 */
export interface Dialect {
  readonly method: string | undefined
  readonly target: string | undefined
  readonly host: string
  readonly scheme: string
  /** Whether the proxy passes any status on to the client, or only understands 2xx, 401 and 403. */
  readonly passesStatus: boolean
}

const FORWARDED: Dialect = {
  method: 'x-forwarded-method',
  target: 'x-forwarded-uri',
  host: 'x-forwarded-host',
  scheme: 'x-forwarded-proto',
  passesStatus: true,
}

/**
 * nginx `auth_request` (headers as its manual names them), Traefik `forwardAuth`, Caddy `forward_auth`, and
 * Envoy `ext_authz` over HTTP, which sends the original method, and the original path behind `path_prefix`.
 */
export const DIALECTS: Readonly<Record<ForwardDialect, Dialect>> = {
  nginx: {
    method: 'x-original-method',
    target: 'x-original-uri',
    host: 'x-original-host',
    scheme: 'x-original-proto',
    passesStatus: false,
  },
  traefik: FORWARDED,
  caddy: FORWARDED,
  envoy: { ...FORWARDED, method: undefined, target: undefined },
}
