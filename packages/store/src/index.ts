export {
  checkDataContent,
  DataDirectory,
  type DataDirectoryOptions,
  type DirectoryUpgrade,
  openDataDirectory,
} from './directory/data-directory.ts'
export {
  awaitDirectoryLock,
  type DirectoryLock,
  type DirectoryLockWait,
  lockDirectory,
} from './directory/directory-lock.ts'
export { closedTo, isClosed, isReadableDirectory } from './directory/readable-directory.ts'
export {
  createSecretFile,
  giveToOwnerOf,
  readSecretFile,
  replaceSecretFile,
  syncDirectory,
} from './directory/secret-file.ts'
export {
  notLoaded,
  type OptionalPackage,
  requireOptional,
  requireVersion,
  troubleOf,
} from './driver/optional-package.ts'
export { migrate } from './migrate.ts'
export type { Migration, MigrationSet } from './migration/migration.ts'
export {
  connectPostgres,
  PostgresDatabase,
  type PostgresOptions,
  type SqlClient,
  type SqlResult,
} from './postgres/postgres-database.ts'
export { PostgresError } from './postgres/postgres-error.ts'
export {
  connectRedis,
  type RedisConnectOptions,
  redisError,
  redisName,
  redisReady,
  redisTrouble,
} from './redis/redis.ts'
export type { RedisConnection } from './redis/redis-connection.ts'
export { redisSubscriber } from './redis/redis-subscriber.ts'
export { postgresTime, redisTime, ServerTime } from './server-time.ts'
export { GroupCommit, type GroupCommitOptions } from './sqlite/group-commit.ts'
export { openSqlite, SqliteDatabase, type SqliteOptions } from './sqlite/sqlite-database.ts'
export { isSqliteConstraint } from './sqlite/sqlite-error.ts'
