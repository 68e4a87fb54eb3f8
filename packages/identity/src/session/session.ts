/** One sign-in on one device: what is read for every request. */
export interface Session {
  /**
   * Public: names the session in the device list, in events and to revoke it. Not
   * the token, and no help in guessing it.
   */
  readonly id: string
  readonly accountId: string
  /** Kind and id of the principal that really acts, when this is an impersonation. */
  readonly impersonator: string | undefined
  /** The organisation the account acts in. */
  readonly organisationId: string | undefined
  /** Roles in that organisation, as they are now. */
  readonly roles: readonly string[]
  /** Roles on the whole site, as they are now. Operators give them, nobody else. */
  readonly siteRoles: readonly string[]
  readonly expiresAt: number
  /** When who they are was last proven. */
  readonly authenticatedAt: number
  /** How (RFC 8176). */
  readonly amr: readonly string[]
}

/** A session as the device list shows it. */
export interface DeviceSession extends Session {
  readonly createdAt: number
  /** To the minute. */
  readonly seenAt: number
  /** Ends earlier when it is not used until then. */
  readonly idleUntil: number
  /** Where it was last used from. */
  readonly address: string
  readonly agent: string
}

/**
 * What a row of `session` says of a request, with the roles of its membership. Few columns:
 * each costs most of a microsecond to read.
 */
export interface SessionRow {
  readonly id: string
  readonly accountId: string
  readonly impersonator: string | null
  readonly organisationId: string | null
  readonly roles: string | null
  readonly siteRoles: string
  readonly seenAt: number
  readonly expiresAt: number
  readonly authenticatedAt: number
  readonly amr: string
}

/** A whole row of `session`. */
export interface DeviceSessionRow extends SessionRow {
  readonly createdAt: number
  readonly idleUntil: number
  readonly address: string
  readonly agent: string
}

/** The session a row describes. A membership that ended leaves no organisation. */
export function readSession(row: SessionRow): Session {
  const isMember = row.organisationId !== null && row.roles !== null
  return {
    id: row.id,
    accountId: row.accountId,
    impersonator: row.impersonator ?? undefined,
    organisationId: isMember ? (row.organisationId ?? undefined) : undefined,
    roles: words(row.roles ?? ''),
    siteRoles: words(row.siteRoles),
    expiresAt: row.expiresAt,
    authenticatedAt: row.authenticatedAt,
    amr: words(row.amr),
  }
}

function words(text: string): readonly string[] {
  return text === '' ? [] : text.split(' ')
}

export function readDeviceSession(row: DeviceSessionRow): DeviceSession {
  const { createdAt, seenAt, idleUntil, address, agent } = row
  return { ...readSession(row), createdAt, seenAt, idleUntil, address, agent }
}
