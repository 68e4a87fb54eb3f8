/**
 * What became of a change of an account of the console, in words.
 * @param change `changed`, `unchanged`, or `last ROLE`: nobody else has that role
 * @param done what it means that it changed
 */
export function consoleChange(change: string, done: string): string {
  if (change === 'changed') return done
  if (change === 'unchanged') return 'nothing to change'
  return `is the ${change}, and stays: give somebody else that role first`
}
