// Starts the shop by itself: PORT, SHOP_DATABASE_URL, SHOP_DATA and SHOP_IDENTITY (the origin where Postern
// signs people in) come from the environment.
import { startShop } from './server.ts'

const {
  PORT = '3000',
  SHOP_DATABASE_URL: databaseUrl,
  SHOP_DATA: dataDirectory,
  SHOP_IDENTITY: origin,
} = process.env
const shop = await startShop({
  port: Number(PORT),
  ...(databaseUrl !== undefined && { databaseUrl }),
  ...(dataDirectory !== undefined && { dataDirectory }),
  ...(origin !== undefined && { identity: { origin, audience: 'harbour-supply' } }),
})
console.log(`shop: listening on ${shop.url} (vulnerable on purpose; loopback only)`)
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    shop.close().then(() => process.exit(0))
  })
