/** A table that says who belongs to which group. */
export interface Membership {
  readonly table: string
  /** Column that holds the group. */
  readonly group: string
  /** Column that holds the member, a principal's id. */
  readonly principal: string
}
