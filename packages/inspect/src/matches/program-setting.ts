import { isBody, type Reading } from '../value/reading.ts'

/** How a page of settings names the field for the place of a program: `path_rrdtool`, `sendmail_path`. */
const FIELD =
  /^(?:(?:\w{1,24}_)?path_([a-z]\w{2,24}?)(?:_bin(?:ary)?)?|([a-z]\w{2,24}?)_(?:path|bin|binary))$/
/** The place of one that is given nothing to do. */
const PROGRAM = /^\/usr\/(?:local\/)?s?bin\/([a-z][\w-]{2,24})$/
const PLACES: ReadonlySet<string> = new Set(['rce/program', 'rce/command'])

/** Whether a setting says where the very program lies that it is named after. */
export function isProgramSetting(id: string, { place, name, lower }: Reading): boolean {
  if (!PLACES.has(id) || !isBody(place) || name.length > 64) return false
  const [, program] = PROGRAM.exec(lower) ?? []
  if (program === undefined) return false
  const [, behind, before = behind] = FIELD.exec(name) ?? []
  return before === program || before?.endsWith(`_${program}`) === true
}
