// Starts the shop by itself: PORT, SHOP_DATABASE_URL, SHOP_DATA and SHOP_IDENTITY (the origin where Postern
// signs people in) come from the environment.
import { openVault } from '@postern/vault'
import { startShop } from './server.ts'

const {
  PORT = '3000',
  SHOP_DATABASE_URL: databaseUrl,
  SHOP_DATA: dataDirectory,
  SHOP_IDENTITY: origin,
  SHOP_VAULT: vaultFile,
} = process.env
const opened = vaultFile === undefined ? undefined : await openVault(vaultFile)
const shop = await startShop({
  port: Number(PORT),
  ...(databaseUrl !== undefined && { databaseUrl }),
  ...(dataDirectory !== undefined && { dataDirectory }),
  ...(opened !== undefined && { vault: opened.vault }),
  ...(origin !== undefined && { identity: { origin, audience: 'harbour-supply' } }),
})
console.log(`shop: listening on ${shop.url} (vulnerable on purpose; loopback only)`)
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    shop.close().then(() => {
      opened?.close()
      process.exit(0)
    })
  })
