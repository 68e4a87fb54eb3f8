/** `name=value` behind a semicolon; the value quoted, with escapes, or bare. */
const PARAMETER =
  /;[;\s]{0,64}([\w.-]{1,40}\*?\d{0,2}\*?)\s{0,8}=\s{0,8}(?:"((?:[^"\\]|\\.){0,1024})"?|([^;\r\n]{0,1024}))/gy

/** The parameters of a `Content-Disposition`, in order, names in lower case (RFC 6266 section 4.1). */
export function dispositionParameters(value: string): readonly (readonly [name: string, value: string])[] {
  const semicolon = value.indexOf(';')
  if (semicolon < 0) return []
  const found: (readonly [string, string])[] = []
  const parameters = new RegExp(PARAMETER)
  parameters.lastIndex = semicolon
  for (let match = parameters.exec(value); match !== null; match = parameters.exec(value)) {
    const [, name = '', quoted, bare = ''] = match
    found.push([name.toLowerCase(), quoted?.replace(/\\(["\\])/g, '$1') ?? bare.trim()])
    const next = value.indexOf(';', parameters.lastIndex)
    if (next < 0) break
    parameters.lastIndex = next
  }
  return found
}

/**
 * Whether every parser takes a part with this `Content-Disposition` for a file: it has a name that is not
 * empty, under `filename` itself. Go takes an empty one for a field, PHP one under `filename*` alone.
 */
export function namesFile(parameters: readonly (readonly [name: string, value: string])[]): boolean {
  const names = parameters.filter(([name]) => name === 'filename')
  return names.length > 0 && names.every(([, value]) => value !== '')
}
