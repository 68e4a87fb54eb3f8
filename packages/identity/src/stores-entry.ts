export { type IdentityPlaces, type IdentityStores, openIdentityStores } from './identity-stores.ts'
export { type UsedProofs, usedProofs } from './verify/used-proofs.ts'
