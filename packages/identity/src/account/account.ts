/** Somebody who can sign in. The address was proven to be theirs before the account was made. */
export interface Account {
  readonly id: string
  readonly email: string
  readonly emailVerifiedAt: number | undefined
  readonly name: string
  /** Language of pages and mails: `en`, `de`, ... */
  readonly locale: string
  /** Roles on the whole site. */
  readonly roles: readonly string[]
  readonly hasPassword: boolean
  readonly passwordChangedAt: number | undefined
  readonly createdAt: number
  readonly disabledAt: number | undefined
}

/** A row of `account`. */
export interface AccountRow {
  readonly id: string
  readonly email: string
  readonly emailVerifiedAt: number | null
  readonly name: string
  readonly locale: string
  /** Separated by spaces. */
  readonly roles: string
  readonly passwordHash: string | null
  readonly passwordChangedAt: number | null
  readonly createdAt: number
  readonly disabledAt: number | null
}

/**
 * What of an account a proof counts for: another address or password, and what was begun before is over. Two
 * changes of one account never give the same text.
 */
export function stateOf({ email, passwordChangedAt }: Pick<Account, 'email' | 'passwordChangedAt'>): string {
  return `${email} ${passwordChangedAt ?? ''}`
}

/** Whether a token is for the account as it is now, by the `state` in its data. */
export function isAsOf(data: unknown, account: Account): boolean {
  return typeof data === 'object' && data !== null && 'state' in data && data.state === stateOf(account)
}

/** The account a row describes. */
export function readAccount(row: AccountRow): Account {
  return {
    id: row.id,
    email: row.email,
    emailVerifiedAt: row.emailVerifiedAt ?? undefined,
    name: row.name,
    locale: row.locale,
    roles: row.roles === '' ? [] : row.roles.split(' '),
    hasPassword: row.passwordHash !== null,
    passwordChangedAt: row.passwordChangedAt ?? undefined,
    createdAt: row.createdAt,
    disabledAt: row.disabledAt ?? undefined,
  }
}
