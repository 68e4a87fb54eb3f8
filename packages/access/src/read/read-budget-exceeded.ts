import { RowBudgetExceeded } from '../budget/budget-refusal.ts'

/**
 * More rows than a budget of reads has left. `allowed` is what was left when the statement began, `asked` how
 * many it had read when it was stopped: how many more there are nobody counted.
 */
export class ReadBudgetExceeded extends RowBudgetExceeded {}
