import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

/** Where WordPress keeps what a user may do: its own pages send the name of a role. */
const KEPT_RIGHTS = /(?:^|[[.])wp_(?:capabilities|user_level)(?:[\].[]|$)/
const OPTION_NAME = /^(?:wp_)?(?:option|setting)s?_?(?:name|key|id|slug)?(?:\[\w{0,16}\])?$/
const OPTION = /^\s{0,2}(?:users_can_register|default_role|wp_user_roles)\s{0,2}$/
const ADMINISTRATOR = /^\s{0,2}administrator\s{0,2}$/
const DEFAULT_ROLE = /(?:^|[[.])default_role\]?$/

/** Rights that somebody gives himself, by what a page of WordPress stores unseen. */
function findGrantedRights(reading: Reading): Span | undefined {
  const { lower } = reading
  if (reading.place === 'name') {
    const found = KEPT_RIGHTS.exec(lower)
    return found === null ? undefined : { start: found.index, end: found.index + found[0].length }
  }
  if (!reading.fromStart) return undefined
  const isGranted = ADMINISTRATOR.test(lower)
    ? DEFAULT_ROLE.test(reading.name)
    : OPTION.test(lower) && OPTION_NAME.test(reading.name)
  return isGranted ? { start: 0, end: lower.length } : undefined
}

/** Signs over and under letters: many a database takes a letter with one for the letter. */
const MARKS = /\p{M}/gu
const BEYOND_ASCII = /[^\u0000-\u007f]/

function findAccentedRights({ lower }: Reading): Span | undefined {
  if (!BEYOND_ASCII.test(lower) || !KEPT_RIGHTS.test(lower.normalize('NFD').replace(MARKS, '')))
    return undefined
  return { start: 0, end: lower.length }
}

/** Rights that a request takes for itself. */
export const grantedRightRules: readonly Rule[] = [
  {
    id: 'probe/granted-rights',
    family: 'probe',
    score: 5,
    quotable: false,
    chars: 0,
    words: WORD.probe,
    places: ['name', 'query', 'form', 'body'],
    needs: [KEPT_RIGHTS, ADMINISTRATOR, OPTION],
    find: findGrantedRights,
    // By the name of the parameter: the cases are in `test/granted-rights.test.ts`.
    attacks: [],
    benign: ['administrator', 'default_role', 'wp'],
  },
  {
    id: 'probe/accented-rights',
    family: 'probe',
    score: 5,
    quotable: false,
    chars: CHAR.wide,
    words: 0,
    places: ['name'],
    needs: [BEYOND_ASCII],
    find: findAccentedRights,
    attacks: ['wp_c\u00e4pabilities[administrator]', 'wp_\u00faser_level'],
    benign: ['gr\u00f6\u00dfe', 'wp_c\u00e4sar'],
  },
  // A key or a name of a session, all bytes of which are zero: what a server that keeps none compares with.
  pattern('session/zero-key', /^a{20,344}={1,2}$/, {
    score: 5,
    atStart: true,
    chars: CHAR.equals,
    places: ['cookie', 'header'],
    // Random, or what somebody wrote who tried a connection by hand: no server compares it with anything.
    unlessNamed: /^sec-websocket-key$/,
    attacks: ['AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', 'AAAAAAAAAAAAAAAAAAAAAA=='],
    benign: ['AAAAAA==', 'AAAAAAAAAAAAAAAAAAAAAAAB'],
  }),
  // What is handed out to one person, asked for as a list or as another type: a database finds any of it.
  pattern(
    'nosqli/secret-list',
    /\[(?:reset_password_token|password_reset_token|reset_token|confirmation_token|unlock_token|invitation_token|remember_token|activation_token)\]\[\w{0,8}\]$|^user\[email\]\[\d{0,2}\]$/,
    {
      score: 5,
      places: ['name'],
      chars: CHAR.bracket,
      attacks: ['user[reset_password_token][]', 'account[confirmation_token][0]', 'user[email][]'],
      benign: [
        'user[reset_password_token]',
        'users[email][]',
        'user[email]',
        'user[tokens][]',
        'confirmation_token',
      ],
    },
  ),
]
