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
