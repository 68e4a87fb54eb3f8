/** What the gateway does with a request header on its way to the backend. */
export const HeaderClass = {
  /** Sent on as it came. */
  plain: 0,
  /**
   * Belongs to this connection (RFC 9110 section 7.6.1) or would let a client speak for the gateway: dropped.
   */
  dropped: 1,
  host: 2,
  contentLength: 3,
  transferEncoding: 4,
  connection: 5,
  expect: 6,
  upgrade: 7,
  forwardedFor: 8,
  forwardedHost: 9,
  /** Says who the client is or where it comes from, as some proxy reports it: only a trusted one may. */
  trustedOnly: 10,
} as const

/**
 * Headers by which platforms and proxies tell a backend the client's address, name or certificate, and
 * routers the host.
 */
const TRUSTED_ONLY: ReadonlySet<string> = new Set([
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'cf-ipcountry',
  'cf-pseudo-ipv4',
  'cf-visitor',
  'ali-cdn-real-ip',
  'cdn-real-ip',
  'cdn-src-ip',
  'eo-client-ip',
  'eo-connecting-ip',
  'fastly-ssl',
  'forwarded-for',
  'forwarded-for-ip',
  'front-end-https',
  'incap-client-ip',
  'x-backend-host',
  'x-custom-ip-authorization',
  'x-forward-for',
  'x-forwarded',
  'x-original-method',
  'x-original-scheme',
  'x-scheme',
  'x-script-name',
  'x-sucuri-clientip',
  'x-true-client-ip',
  'x-true-ip',
  'x-url-scheme',
  // What Rack serves files by when a proxy says so.
  'x-accel-mapping',
  'x-sendfile-type',
  // What schedulers and queues of platforms authorise their calls by.
  'x-cloudscheduler',
  'client-cert',
  'client-cert-chain',
  'eppn',
  'persistent-id',
  'x-anonymous-consumer',
  'x-apigateway-api-userinfo',
  'x-auth-email',
  'x-auth-groups',
  'x-auth-roles',
  'x-auth-subject',
  'x-auth-userid',
  'x-auth-username',
  'x-client-dn',
  'x-client-verify',
  'x-endpoint-api-userinfo',
  'x-jwt-payload',
  'x-token-subject',
  'x-userinfo',
  'client-ip',
  'do-connecting-ip',
  'fastly-client-ip',
  'fly-client-ip',
  'proxy-client-ip',
  'true-client-ip',
  'wl-proxy-client-ip',
  'x-appengine-user-ip',
  'x-azure-clientip',
  'x-azure-socketip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-envoy-external-address',
  'x-envoy-original-path',
  'x-http-destinationurl',
  'x-http-host-override',
  'x-host',
  'x-nf-client-connection-ip',
  'x-original-forwarded-for',
  'x-original-host',
  'x-original-uri',
  'x-originating-ip',
  'x-proxyuser-ip',
  'x-remote-addr',
  'x-remote-ip',
  'remote-user',
  'x-arr-clientcert',
  'x-auth-user',
  'x-authenticated-user',
  'x-authenticated-userid',
  'x-client-cert',
  'x-client-certificate',
  'x-consumer-id',
  'x-consumer-username',
  'x-ssl-cert',
  'x-user-dn',
  'x-webauth-user',
  'ssl-client-cert',
  // Variables of CGI (RFC 3875 section 4.1) and WSGI (PEP 3333) that a server would take from a header of
  // this name.
  'auth-type',
  'document-root',
  'gateway-interface',
  'https',
  'path-info',
  'path-translated',
  'query-string',
  'remote-addr',
  'remote-host',
  'remote-ident',
  'request-method',
  'request-uri',
  'script-filename',
  'script-name',
  'server-name',
  'server-port',
  'server-protocol',
  'server-software',
  'wsgi-url-scheme',
])
const TRUSTED_ONLY_PREFIX =
  /^(?:cf-(?:access|client-cert|connecting)-|cloudfront-viewer-|fly-|iv-|mellon-|oam-|oidc-|remote-|shib-|sm-|ssl-client-|tailscale-|x-(?:amzn-(?:mtls|oidc)|appengine|arr|auth-request|authentik|client-cert|cloudtasks|consumer|credential|envoy|goog-authenticated-user|goog-iap|nf|oidc|pomerium|remote|replit-user|sandstorm|shibboleth|ssl|tailscale|tls-client|token-user|vercel|vouch|webauth)-|x-ms-(?:client-principal|token-)|x-ssl-client)/

const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['host', HeaderClass.host],
  ['content-length', HeaderClass.contentLength],
  ['transfer-encoding', HeaderClass.transferEncoding],
  ['connection', HeaderClass.connection],
  ['expect', HeaderClass.expect],
  ['upgrade', HeaderClass.upgrade],
  ['x-forwarded-for', HeaderClass.forwardedFor],
  ['x-forwarded-host', HeaderClass.forwardedHost],
  ['keep-alive', HeaderClass.dropped],
  ['proxy-connection', HeaderClass.dropped],
  ['proxy-authenticate', HeaderClass.dropped],
  ['proxy-authorization', HeaderClass.dropped],
  ['te', HeaderClass.dropped],
  ['trailer', HeaderClass.dropped],
  ['http2-settings', HeaderClass.dropped],
  // Read by CGI-like backends as the environment variable HTTP_PROXY (CVE-2016-5385).
  ['proxy', HeaderClass.dropped],
  // Some frameworks route by these instead of by the request target that the guards saw.
  ['x-original-url', HeaderClass.dropped],
  ['x-rewrite-url', HeaderClass.dropped],
  ['forwarded', HeaderClass.dropped],
  ['x-real-ip', HeaderClass.dropped],
  ['x-request-id', HeaderClass.dropped],
])

/** Spellings seen all day, looked up without changing case. Fixed, so that no client can fill it. */
const SPELLINGS: ReadonlyMap<string, number> = new Map(
  [
    ...SPECIAL.keys(),
    'accept',
    'accept-encoding',
    'accept-language',
    'authorization',
    'cache-control',
    'content-type',
    'cookie',
    'if-modified-since',
    'if-none-match',
    'origin',
    'pragma',
    'range',
    'referer',
    'sec-fetch-dest',
    'sec-fetch-mode',
    'sec-fetch-site',
    'user-agent',
  ].flatMap(name => {
    const kind = SPECIAL.get(name) ?? HeaderClass.plain
    const titled = name.replace(/(?:^|-)[a-z]/g, letter => letter.toUpperCase())
    return [[name, kind] as const, [titled, kind] as const]
  }),
)

/**
 * The class of an arrived header name. One with `_` is `trustedOnly`, as in nginx: backends in the tradition
 * of CGI read `X_Postern_Identity` and `X-Postern-Identity` as one variable, and some read `SCRIPT_NAME` as
 * their own mount point.
 */
export function headerClass(name: string): number {
  return SPELLINGS.get(name) ?? classify(name)
}

function classify(name: string): number {
  const lower = name.toLowerCase()
  const isUnderscored = lower.includes('_')
  const dashed = isUnderscored ? lower.replaceAll('_', '-') : lower
  const special = SPECIAL.get(dashed)
  if (special !== undefined) return isUnderscored ? HeaderClass.dropped : special
  if (dashed.startsWith('x-postern-') || dashed.startsWith('x-forwarded-')) return HeaderClass.dropped
  return isUnderscored || TRUSTED_ONLY.has(dashed) || TRUSTED_ONLY_PREFIX.test(dashed)
    ? HeaderClass.trustedOnly
    : HeaderClass.plain
}
