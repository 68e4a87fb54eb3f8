/** What applications often call a field of a principal, and what it is called here. */
const MEANT = [
  ['role', 'roles', 'as a list: roles: ["admin"]'],
  ['scope', 'scopes', 'as a list: scopes: ["orders:read"]'],
  ['permissions', 'scopes', 'as a list: scopes: ["orders:read"]'],
  ['tenantId', 'tenant', 'as a text'],
  ['tenant_id', 'tenant', 'as a text'],
  ['auth_time', 'authenticatedAt', 'in milliseconds: auth_time * 1000'],
] as const

/** Times of this century in seconds; as milliseconds they lie between January 1970 and 1973. */
const FIRST_SECOND = 978_307_200
const LAST_SECOND = 100_000_000_000

/** What was warned of, so that it is said once and not at every request. */
const said = new Set<string>()

/**
 * Warns once of what a principal has without effect, as an application sees only that somebody is refused: a
 * field of another name, and a time in seconds, which reads as 1970. Names the field, never its value.
 */
export function warnOfPrincipal(principal: object): void {
  const fields = principal as Readonly<Record<string, unknown>>
  for (const [wrong, right, how] of MEANT)
    if (fields[wrong] !== undefined && fields[wrong] !== null && isAbsent(fields[right]))
      warnOnce(`${wrong} of a principal has no effect: write ${right}, ${how}`)
  const at = fields['authenticatedAt']
  if (typeof at === 'number' && at > FIRST_SECOND && at < LAST_SECOND)
    warnOnce(
      'authenticatedAt of a principal is in seconds, it seems, and reads as 1970, so that what asks for a recent sign-in refuses: it is in milliseconds (seconds * 1000)',
    )
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}

function warnOnce(message: string): void {
  if (said.has(message)) return
  said.add(message)
  process.emitWarning(message, { code: 'POSTERN_PRINCIPAL' })
}
