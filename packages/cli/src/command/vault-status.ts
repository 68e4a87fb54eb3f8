import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { withVault } from './with-vault.ts'

/** `postern vault status`. Says no when fewer than three holders answer. */
export const run: Command = async (_args, options, context) =>
  withVault(
    options,
    context,
    async ({ file, vault, links }) => {
      const columns = Object.keys(file.tables).flatMap(name =>
        vault.table(name).columns.map(column => ({
          column: `${name}.${column.name}`,
          mode: column.mode,
          state: column.state,
          epoch: vault.currentEpoch(column),
        })),
      )
      for (const { column, mode, state, epoch } of columns)
        context.output.line(`${column}  ${mode}  ${state}  epoch ${epoch}`)
      for (const { id, isUp } of links) context.output.line(`holder ${id}  ${isUp ? 'up' : 'down'}`)
      context.output.result({ columns, holders: links.map(({ id, isUp }) => ({ id, isUp })) })
      return links.every(({ isUp }) => isUp) ? EXIT.done : EXIT.no
    },
    { waitFor: 3 },
  )
