/** `@postern/vault/exposure`: counts what a thief could open with what he has. */
export { type CandidateSecrets, candidateSecrets } from './exposure/candidate-secrets.ts'
export { type Exposure, type Loot, measureExposure, type StolenValue } from './exposure/exposure.ts'
export { stolenValues } from './exposure/stolen-values.ts'
