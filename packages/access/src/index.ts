export { type BudgetGrant, openBudgetGrant, signBudgetGrant } from './budget/budget-grant.ts'
export type { SigningKey } from './budget/signed-token.ts'
export { type Acting, actingAs, actingIn, currentActing } from './wrap/acting-as.ts'
