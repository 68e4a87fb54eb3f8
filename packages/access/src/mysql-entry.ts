/** `@postern/access/mysql`: row budgets for MySQL and MariaDB, counted in mysql2. It is not imported here. */
export { guardMysql, type MysqlGuardOptions, type MysqlPool } from './mysql/guard-mysql.ts'
