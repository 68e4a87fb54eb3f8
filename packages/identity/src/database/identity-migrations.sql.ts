import { type Migration, migrate, PostgresDatabase, type SqliteDatabase } from '@postern/store'

/** What differs between the dialects: the type of a time in epoch milliseconds, and how a table ends. */
interface Dialect {
  readonly time: string
  readonly end: string
}

const SQLITE: Dialect = { time: 'REAL', end: ') STRICT;' }
const POSTGRES: Dialect = { time: 'DOUBLE PRECISION', end: ');' }

function accounts({ time, end }: Dialect): string {
  return `
    CREATE TABLE account (
      id                  TEXT PRIMARY KEY,
      email               TEXT NOT NULL UNIQUE,
      email_verified_at   ${time},
      name                TEXT NOT NULL,
      locale              TEXT NOT NULL,
      password_hash       TEXT,
      password_changed_at ${time},
      created_at          ${time} NOT NULL,
      disabled_at         ${time}
    ${end}
    CREATE TABLE session (
      hash             TEXT PRIMARY KEY,
      id               TEXT NOT NULL UNIQUE,
      account_id       TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
      impersonator     TEXT,
      organisation_id  TEXT,
      created_at       ${time} NOT NULL,
      seen_at          ${time} NOT NULL,
      idle_until       ${time} NOT NULL,
      expires_at       ${time} NOT NULL,
      authenticated_at ${time} NOT NULL,
      amr              TEXT NOT NULL,
      address          TEXT NOT NULL,
      agent            TEXT NOT NULL
    ${end}
    CREATE INDEX session_account ON session (account_id);
    CREATE INDEX session_expiry ON session (expires_at);
    CREATE TABLE passkey (
      id         TEXT PRIMARY KEY,
      account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
      public_key TEXT NOT NULL,
      counter    ${time} NOT NULL,
      transports TEXT NOT NULL,
      name       TEXT NOT NULL,
      created_at ${time} NOT NULL,
      used_at    ${time}
    ${end}
    CREATE INDEX passkey_account ON passkey (account_id);
    CREATE TABLE totp (
      account_id   TEXT PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
      sealed       TEXT NOT NULL,
      last_step    ${time} NOT NULL,
      confirmed_at ${time}
    ${end}
    CREATE TABLE recovery_code (
      hash       TEXT PRIMARY KEY,
      account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
      used_at    ${time}
    ${end}
    CREATE INDEX recovery_code_account ON recovery_code (account_id);
    CREATE TABLE one_time (
      hash       TEXT PRIMARY KEY,
      kind       TEXT NOT NULL,
      account_id TEXT REFERENCES account (id) ON DELETE CASCADE,
      data       TEXT NOT NULL,
      tries      ${time} NOT NULL,
      expires_at ${time} NOT NULL
    ${end}
    CREATE INDEX one_time_account ON one_time (account_id);
    CREATE INDEX one_time_expiry ON one_time (expires_at);
    CREATE TABLE api_key (
      id            TEXT PRIMARY KEY,
      environment   TEXT NOT NULL,
      hash          TEXT NOT NULL UNIQUE,
      owner_kind    TEXT NOT NULL,
      owner_id      TEXT NOT NULL,
      tenant        TEXT,
      name          TEXT NOT NULL,
      scopes        TEXT NOT NULL,
      networks      TEXT NOT NULL,
      limit_count   ${time},
      limit_window  ${time},
      created_at    ${time} NOT NULL,
      expires_at    ${time},
      used_at       ${time},
      revoked_at    ${time},
      revoked_why   TEXT,
      replaced_by   TEXT
    ${end}
    CREATE INDEX api_key_owner ON api_key (owner_kind, owner_id);
    CREATE TABLE organisation (
      id         TEXT PRIMARY KEY,
      name       TEXT NOT NULL,
      created_at ${time} NOT NULL
    ${end}
    CREATE TABLE membership (
      organisation_id TEXT NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
      account_id      TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
      roles           TEXT NOT NULL,
      created_at      ${time} NOT NULL,
      PRIMARY KEY (organisation_id, account_id)
    ${end}
    CREATE INDEX membership_account ON membership (account_id);
    CREATE TABLE external_login (
      issuer     TEXT NOT NULL,
      subject    TEXT NOT NULL,
      account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
      created_at ${time} NOT NULL,
      PRIMARY KEY (issuer, subject)
    ${end}
    CREATE INDEX external_login_account ON external_login (account_id);
    CREATE TABLE confirmation (
      nonce      TEXT PRIMARY KEY,
      account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
      session_id TEXT NOT NULL,
      act        TEXT NOT NULL,
      digest     TEXT NOT NULL,
      asked_at   ${time} NOT NULL,
      expires_at ${time} NOT NULL,
      assertion  TEXT,
      proven_at  ${time},
      back_to    TEXT NOT NULL
    ${end}
    CREATE INDEX confirmation_session ON confirmation (session_id);
    CREATE TABLE signing_key (
      kid        TEXT PRIMARY KEY,
      purpose    TEXT NOT NULL,
      sealed     TEXT NOT NULL,
      public     TEXT NOT NULL,
      created_at ${time} NOT NULL
    ${end}
    CREATE TABLE oauth_record (
      model       TEXT NOT NULL,
      id          TEXT NOT NULL,
      payload     TEXT NOT NULL,
      grant_id    TEXT,
      user_code   TEXT,
      uid         TEXT,
      account_id  TEXT,
      consumed_at ${time},
      expires_at  ${time},
      PRIMARY KEY (model, id)
    ${end}
    CREATE INDEX oauth_record_grant ON oauth_record (grant_id);
    CREATE INDEX oauth_record_user_code ON oauth_record (user_code);
    CREATE INDEX oauth_record_uid ON oauth_record (uid);
    CREATE INDEX oauth_record_account ON oauth_record (account_id);
    CREATE INDEX oauth_record_expiry ON oauth_record (expires_at);`
}

/** Without a reference to the account: while a key lives that its holder made, its names are kept. */
function formerEmails({ end }: Dialect): string {
  return `
    CREATE TABLE former_email (
      account_id TEXT NOT NULL,
      email      TEXT NOT NULL,
      PRIMARY KEY (account_id, email)
    ${end}
    CREATE INDEX former_email_email ON former_email (email);`
}

/** Without a reference to the account: what its holder consented to must not outlive it. */
function rightsChanges({ time, end }: Dialect): string {
  return `
    CREATE TABLE rights_change (
      account_id TEXT PRIMARY KEY,
      changed_at ${time} NOT NULL
    ${end}
    CREATE INDEX rights_change_time ON rights_change (changed_at);`
}

/** The tables of built-in identity, of one shape in both dialects. */
const IDENTITY_MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'accounts, sessions, keys and OAuth',
    sqlite: accounts(SQLITE),
    postgres: accounts(POSTGRES),
  },
  {
    id: 2,
    name: 'roles of accounts on the whole site',
    sqlite: "ALTER TABLE account ADD COLUMN roles TEXT NOT NULL DEFAULT '';",
    postgres: "ALTER TABLE account ADD COLUMN roles TEXT NOT NULL DEFAULT '';",
  },
  {
    id: 3,
    name: 'who made a key of a service',
    sqlite: 'ALTER TABLE api_key ADD COLUMN created_by TEXT;',
    postgres: 'ALTER TABLE api_key ADD COLUMN created_by TEXT;',
  },
  {
    id: 4,
    name: 'former addresses of accounts',
    sqlite: formerEmails(SQLITE),
    postgres: formerEmails(POSTGRES),
  },
  {
    id: 5,
    name: 'networks that OAuth records came from',
    sqlite: 'ALTER TABLE oauth_record ADD COLUMN network TEXT;',
    postgres: 'ALTER TABLE oauth_record ADD COLUMN network TEXT;',
  },
  {
    id: 6,
    name: 'when accounts had other rights',
    sqlite: rightsChanges(SQLITE),
    postgres: rightsChanges(POSTGRES),
  },
]

/**
 * Brings the tables of built-in identity up to date.
 * @throws StoreError when the database cannot be reached or was written by a later version
 */
export async function migrateIdentity(database: SqliteDatabase | PostgresDatabase): Promise<void> {
  if (database instanceof PostgresDatabase) await migrate(database, 'accounts', IDENTITY_MIGRATIONS)
  else migrate(database, 'accounts', IDENTITY_MIGRATIONS)
}
