/** A host as it stands in a URL: IPv6 addresses in brackets (RFC 3986 section 3.2.2), others as they are. */
export function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
