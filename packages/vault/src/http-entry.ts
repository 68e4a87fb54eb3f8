/** `@postern/vault/http`: rows on the authority of a request, and refusals as answers. */
export { RequestVault, requestVault } from './http/request-vault.ts'
export { answerVaultError, type VaultAnswer, vaultErrorAnswer } from './http/vault-error.ts'
