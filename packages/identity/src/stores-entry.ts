export { type IdentityPlaces, type IdentityStores, openIdentityStores } from './identity-stores.ts'
