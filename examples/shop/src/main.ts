// Starts the shop by itself: PORT, SHOP_DATABASE_URL and SHOP_DATA come from the environment.
import { startShop } from './server.ts'

const { PORT = '3000', SHOP_DATABASE_URL: databaseUrl, SHOP_DATA: dataDirectory } = process.env
const shop = await startShop({
  port: Number(PORT),
  ...(databaseUrl !== undefined && { databaseUrl }),
  ...(dataDirectory !== undefined && { dataDirectory }),
})
console.log(`shop: listening on ${shop.url} (vulnerable on purpose; loopback only)`)
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    shop.close().then(() => process.exit(0))
  })
