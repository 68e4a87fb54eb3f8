import type { ReactNode } from 'react'

/** A column: its title, and whether its cells are numbers. */
export interface Column {
  readonly title: string
  readonly isNumber?: true
  /** Read by screen readers only, for a column of buttons. */
  readonly isHidden?: true
}

export interface TableRow {
  readonly key: string
  /** One for each column. */
  readonly cells: readonly ReactNode[]
}

/** A table; on a phone each row is a block of titled lines. */
export function Table({
  label,
  columns,
  rows,
}: {
  readonly label: string
  readonly columns: readonly Column[]
  readonly rows: readonly TableRow[]
}): ReactNode {
  return (
    <table className="rows" aria-label={label}>
      <thead>
        <tr>
          {columns.map(({ title, isNumber, isHidden }) => (
            <th key={title} scope="col" className={isNumber ? 'number' : undefined}>
              {isHidden ? <span className="visually-hidden">{title}</span> : title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, cells }) => (
          <tr key={key}>
            {cells.map((cell, i) => {
              const column = columns[i]
              return (
                <td
                  key={column?.title ?? i}
                  className={column?.isNumber ? 'number' : 'wrap'}
                  data-title={column?.isHidden ? '' : column?.title}
                >
                  {cell}
                </td>
              )
            })}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
