export { type IdentityPlaces, type IdentityStores, openIdentityStores } from './identity-stores.ts'
export type { RecordCodec, RecordStore, Step } from './records/record-store.ts'
export { type RecordPlaces, recordsIn } from './records/records-in.ts'
export { type UsedProofs, usedProofs } from './verify/used-proofs.ts'
