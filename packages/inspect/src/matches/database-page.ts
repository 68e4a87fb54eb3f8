import type { Reading } from '../value/reading.ts'
import { beginsLikeStatement, onlyAsks } from '../value/statement.ts'
import { isUnbroken } from '../value/unbroken-statement.ts'

/**
 * How Adminer and its kin address every page about a database: the server, who is logged in there, and the
 * database, in this order, before all that is asked of it.
 */
const PAGE =
  /^[^?]{0,200}(?:\/|\.php)\?(?:server|pgsql|mssql|oracle)=[^&]{0,100}&username=[^&]{0,100}(?:&db=[^&]{0,100})?(?:&(?:ns|select|sql|edit|table|create|import|dump|schema|view|indexes|trigger|procedure|function|event|database|script|processlist|variables|user|privileges|foreign|sequence|type|where|refresh)(?:[=[%]|&|$)|$)/
/** This machine, at the port of a database: what speaks HTTP is at none of them. */
const OWN_DATABASE =
  /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3})(?::(?:330\d|33[1-9]\d|33060|543\d|1433|1521))?$/

/** Fields in which such a page takes a statement: to run it, or for a view, a routine or a trigger. */
const STATEMENT = /^(?:query|select|definition|statement)$/
/** One that a link to the form brings along. */
const TO_EDIT = 'sql'

/** Whether an address is that of a page about one database. */
export function isDatabasePage(target: string): boolean {
  return PAGE.test(target)
}

/**
 * Whether such a page is sent a statement. Any address can be made to look like one of these pages, and their
 * fields have ordinary names: what could stand in a query of somebody else is not taken for one.
 */
export function isStatementThere(reading: Reading, asks: (() => boolean) | undefined): boolean {
  const { place, name, lower } = reading
  if (asks === undefined) return false
  if (place === 'query') return name === TO_EDIT && onlyAsks(lower) && isUnbroken(lower) && asks()
  if (place !== 'form' || !STATEMENT.test(name)) return false
  // A piece is part of a text that is read as a whole, too.
  return (reading.isPiece || (reading.fromStart && beginsLikeStatement(lower))) && isUnbroken(lower) && asks()
}

/** Whether a parameter names the database on this machine that such a page is about. */
export function isDatabaseServer(name: string, lower: string, asks: (() => boolean) | undefined): boolean {
  return name === 'server' && asks !== undefined && OWN_DATABASE.test(lower) && asks()
}
