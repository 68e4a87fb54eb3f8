/**
 * Where clients look for the metadata of an issuer that has a path: behind the well-known name (RFC 8414
 * section 3.1), while OpenID Connect Discovery puts that name behind the path.
 */
const WELL_KNOWN = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']

/** Whether a path is one of the metadata of the issuer with the path `mount`, outside it. */
export function isMetadataPath(path: string, mount: string): boolean {
  return path.startsWith('/.well-known/') && WELL_KNOWN.some(name => path === `${name}${mount}`)
}

/** The address below `mount` at which the server answers a request for this one. */
export function addressBelow(url: string, mount: string): string {
  const query = url.indexOf('?')
  const path = query < 0 ? url : url.slice(0, query)
  if (!isMetadataPath(path, mount)) return url
  return `${mount}${path.slice(0, -mount.length)}${url.slice(path.length)}`
}
