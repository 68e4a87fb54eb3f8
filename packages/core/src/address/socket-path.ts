/** Bytes of a path that every supported system can bind and connect to: `sun_path` of macOS, less its end. */
const MOST_BYTES = 103

/**
 * The path within the address of a Unix socket, `unix:/run/app.sock`.
 * @returns undefined for another address, and for a path that is relative, names a folder, or is longer than
 * any supported system takes (103 bytes)
 */
export function socketPath(address: string): string | undefined {
  const path = /^unix:(\/(?:[^\p{Cc}]*[^\p{Cc}/])?)$/u.exec(address)?.[1]
  return path === undefined || path === '/' || Buffer.byteLength(path) > MOST_BYTES ? undefined : path
}
