import type { PostgresDatabase } from '@postern/store'
import { type DoctorFinding, warn } from './finding.ts'

/**
 * Schemas that this role searches, and in which others may create: operators and functions that they leave
 * there run with its rights. Superusers and members of this role have those anyway.
 */
const OPEN_SCHEMAS = `
  SELECT n.nspname::text AS schema,
    EXISTS (SELECT FROM aclexplode(n.nspacl) AS a WHERE a.grantee = 0::oid AND a.privilege_type = 'CREATE'::text) AS everybody,
    ARRAY(SELECT r.rolname::text FROM pg_roles AS r
          WHERE r.rolcanlogin AND NOT r.rolsuper AND r.rolname <> current_user
            AND NOT pg_has_role(r.oid, current_user, 'MEMBER'::text) AND has_schema_privilege(r.oid, n.oid, 'CREATE'::text)
          ORDER BY 1) AS roles
  FROM pg_namespace AS n WHERE n.nspname = ANY (current_schemas(false)) ORDER BY 1`

/** Names of roles in one finding. */
const MOST = 5

/** Who could leave something in a schema that statements of Postern's role find. */
export async function checkSchemas(database: PostgresDatabase): Promise<readonly DoctorFinding[]> {
  const { rows } = await database.query<{ schema: string; everybody: boolean; roles: readonly string[] }>(
    OPEN_SCHEMAS,
  )
  return rows
    .filter(({ everybody, roles }) => everybody || roles.length > 0)
    .map(({ schema, everybody, roles }) => {
      const more = roles.length > MOST ? ` and ${roles.length - MOST} more` : ''
      const who = everybody ? 'everybody' : `${roles.slice(0, MOST).join(', ')}${more}`
      return warn(
        'postgres schema',
        `${who} may create in "${schema}": functions and operators there can run with the rights of Postern's role`,
        `REVOKE CREATE ON SCHEMA "${schema}" FROM ${everybody ? 'PUBLIC' : 'them'}, or give Postern a schema of its own (docs/store.md)`,
      )
    })
}
