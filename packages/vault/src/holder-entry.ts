/** `@postern/vault/holder`: everything a holder process needs. */
export type { BudgetLimits } from './holder/budgets.ts'
export { type HolderConfig, parseHolderConfig } from './holder/holder-config.ts'
export { HolderCore, type HolderCoreOptions } from './holder/holder-core.ts'
export type { HolderJournal } from './holder/holder-journal.ts'
export { HolderKeys } from './holder/holder-keys.ts'
export {
  type DailyLimits,
  DEFAULT_BUDGETS,
  DEFAULT_POLICY,
  type HolderPolicy,
  type ServiceRights,
} from './holder/holder-policy.ts'
export { holderArguments, runHolder } from './holder/holder-process.ts'
export { HolderStore } from './holder/holder-store.ts'
export { MemoryJournal } from './holder/memory-journal.ts'
export { readHolderConfig } from './holder/read-holder-config.ts'
export { restoreHolder } from './holder/restore-holder.ts'
export {
  holderIdentity,
  type RunningHolder,
  type StartHolderOptions,
  startHolder,
} from './holder/start-holder.ts'
export { changeUnlock, type Unlock, unlockKey } from './holder/unlock.ts'
export { type UnlockOptions, unlockFrom } from './holder/unlock-options.ts'
export type { BudgetUsage } from './holder/window-budgets.ts'
