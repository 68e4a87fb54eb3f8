// Makes the shop's tables and data in PostgreSQL as their owner, and lets a role that owns nothing use them:
// OWNER_URL and SHOP_DATABASE_URL come from the environment.
import pg from 'pg'
import { startShop } from './server.ts'

const { OWNER_URL = '', SHOP_DATABASE_URL = '' } = process.env
const { username, password } = new URL(SHOP_DATABASE_URL)
await (await startShop({ port: 0, databaseUrl: OWNER_URL })).close()
const owner = new pg.Client({ connectionString: OWNER_URL })
await owner.connect()
const role = owner.escapeIdentifier(decodeURIComponent(username))
await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD ${owner.escapeLiteral(decodeURIComponent(password))}`)
await owner.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`)
await owner.end()
console.log('40 products, 200 customers, 1,000 orders')
