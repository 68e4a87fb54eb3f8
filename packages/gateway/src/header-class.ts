/** What the gateway does with a request header on its way to the backend. */
export const HeaderClass = {
  /** Sent on as it came. */
  plain: 0,
  /** Belongs to this connection (RFC 9110 section 7.6.1) or would let a client speak for the gateway: dropped. */
  dropped: 1,
  host: 2,
  contentLength: 3,
  transferEncoding: 4,
  connection: 5,
  expect: 6,
  upgrade: 7,
  forwardedFor: 8,
  forwardedHost: 9,
} as const

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
 * The class of an arrived header name. A name with `_` that a CGI-like backend would read as one of ours, or as one that
 * frames the message, is dropped: `X_Postern_Identity` and `X-Postern-Identity` are one variable there.
 */
export function headerClass(name: string): number {
  return SPELLINGS.get(name) ?? classify(name)
}

function classify(name: string): number {
  const lower = name.toLowerCase()
  const dashed = lower.includes('_') ? lower.replaceAll('_', '-') : lower
  const special = SPECIAL.get(dashed)
  if (special !== undefined) return dashed === lower ? special : HeaderClass.dropped
  return dashed.startsWith('x-postern-') || dashed.startsWith('x-forwarded-')
    ? HeaderClass.dropped
    : HeaderClass.plain
}
