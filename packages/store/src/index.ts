export {
  DataDirectory,
  type DataDirectoryOptions,
  type DirectoryUpgrade,
  openDataDirectory,
} from './data-directory.ts'
export {
  awaitDirectoryLock,
  type DirectoryLock,
  type DirectoryLockWait,
  lockDirectory,
} from './directory-lock.ts'
export { GroupCommit, type GroupCommitOptions } from './group-commit.ts'
export { migrate } from './migrate.ts'
export type { Migration, MigrationSet } from './migration.ts'
export {
  notLoaded,
  type OptionalPackage,
  requireOptional,
  requireVersion,
} from './optional-package.ts'
export {
  connectPostgres,
  PostgresDatabase,
  type PostgresOptions,
  type SqlClient,
  type SqlResult,
} from './postgres-database.ts'
export { PostgresError } from './postgres-error.ts'
export { closedTo, isClosed, isReadableDirectory } from './readable-directory.ts'
export {
  connectRedis,
  type RedisConnectOptions,
  redisName,
  redisReady,
} from './redis.ts'
export type { RedisConnection } from './redis-connection.ts'
export { redisError } from './redis-error.ts'
export { redisSubscriber } from './redis-subscriber.ts'
export { createSecretFile, giveToOwnerOf, replaceSecretFile, syncDirectory } from './secret-file.ts'
export { postgresTime, redisTime, ServerTime } from './server-time.ts'
export { openSqlite, SqliteDatabase, type SqliteOptions } from './sqlite-database.ts'
export { isSqliteConstraint } from './sqlite-error.ts'
