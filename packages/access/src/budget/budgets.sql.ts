import { CLAIMS_SQL, REFUSE_SQL } from './sql/claims.sql.ts'
import { CALLABLE_SQL, CONFIGURE_SQL, RIGHTS_SQL } from './sql/configure.sql.ts'
import { COUNT_SQL } from './sql/count.sql.ts'
import { GRANTS_SQL } from './sql/grants.sql.ts'
import { PROTECT_SQL } from './sql/protect.sql.ts'
import { SPEND_SQL } from './sql/spend.sql.ts'
import { COUNTERS_SQL, TABLES_SQL } from './sql/tables.sql.ts'
import { COUNTS_OF_1_SQL, FUNCTIONS_OF_1_SQL, KEEP_COUNTS_OF_1_SQL } from './sql/version-1.sql.ts'
import { WINDOWS_SQL } from './sql/windows.sql.ts'

export { OWNER_ONLY_SQL } from './sql/configure.sql.ts'
export { FOLLOW_SQL } from './sql/protect.sql.ts'

/** Functions and triggers, in the order they need each other. */
const FUNCTIONS_SQL: string = [
  WINDOWS_SQL,
  REFUSE_SQL,
  CLAIMS_SQL,
  SPEND_SQL,
  GRANTS_SQL,
  COUNT_SQL,
  PROTECT_SQL,
  CONFIGURE_SQL,
  CALLABLE_SQL,
  RIGHTS_SQL,
].join('')

/** A new installation. */
export const BUDGETS_SCHEMA_SQL: string = [
  TABLES_SQL,
  'CREATE SEQUENCE postern_budgets.refused_claims;\n',
  COUNTERS_SQL,
  FUNCTIONS_SQL,
].join('')

/** What tables of versions before 5 do not have. */
const COLUMNS_OF_5_SQL =
  'ALTER TABLE postern_budgets.attempts ADD COLUMN IF NOT EXISTS signed boolean NOT NULL DEFAULT false;'

/** Version 1 as this one: its counts are kept, its triggers are created again. */
export const UPGRADE_FROM_1_SQL: string = [
  COLUMNS_OF_5_SQL,
  COUNTS_OF_1_SQL,
  COUNTERS_SQL,
  FUNCTIONS_OF_1_SQL,
  FUNCTIONS_SQL,
  KEEP_COUNTS_OF_1_SQL,
].join('')

/** Versions 2 to 4 as this one: almost the same tables, other functions and triggers. */
export const UPGRADE_FROM_2_SQL: string = [
  'SET LOCAL client_min_messages = warning; ALTER TABLE postern_budgets.claims SET LOGGED;',
  COLUMNS_OF_5_SQL,
  FUNCTIONS_OF_1_SQL,
  FUNCTIONS_SQL,
].join('')

/** Takes everything away, with the triggers: those of guarded tables depend on the functions. */
export const REMOVE_SQL = `
DROP EVENT TRIGGER IF EXISTS postern_budgets_follow;
DROP SCHEMA IF EXISTS postern_budgets CASCADE;
`
