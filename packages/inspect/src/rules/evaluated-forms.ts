import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'
import { ANYWHERE } from './remote-commands.ts'

/** A group that repeats what repeats already: an engine that goes back takes forever over it. */
const SLOW =
  /\((?:\?:)?(?:\[[^\]\n]{1,24}\]|\\?[\w.])[+*]\)[+*]|\((?:\?:)?([\w.])\|\1[\w.]?\)[+*]|^\^\(\w{1,8}[+* ]\)[+* ]\$$/
const MATCHED = /^(?:\$?regexp?|\$?match|r?like|ilike|search|q|filter|contains|pattern)$/

/** Such an expression, under a name that says that it is matched. */
function findSlowPattern(reading: Reading): Span | undefined {
  const found = SLOW.exec(reading.lower)
  if (found === null || !MATCHED.test(reading.name)) return undefined
  return { start: found.index, end: found.index + found[0].length }
}

/** A quote in the name of a field with a lookup behind it, as Django asks its tables. */
const LOOKUP_QUOTE = /^[\w.-]{1,60}__\w{0,40}["']/

function findLookupQuote(reading: Reading): Span | undefined {
  const found = LOOKUP_QUOTE.exec(reading.lower)
  // Of a document, a name stands under what it is part of, and may be any text.
  if (found === null || reading.name !== reading.lower) return undefined
  return { start: 0, end: found[0].length }
}

/** Folders of what the system runs or lets in by itself, and of what a server of pages runs. */
const RUNNING_FOLDER =
  /^\s{0,2}(?:\/(?:etc\/(?:cron\.\w{1,8}|init\.d|profile\.d|sudoers\.d|ld\.so\.conf\.d|systemd\/system)|var\/spool\/cron(?:\/crontabs)?|root\/\.ssh|home\/[\w.-]{1,32}\/\.ssh)|(?:\/[\w.-]{1,32}){1,6}\/webapps(?:\/\w{1,32})?)\/?\s{0,2}$/
const WRITTEN_TO =
  /^(?:(?:save|dest(?:ination)?|output|download|upload|target|backup|export|store|data|log|temp|tmp|work)?_?-?(?:dir(?:ectory)?|folder|location)|out|output|out(?:put)?_?(?:dir|folder|path)_\w{1,24}|dest(?:ination)?|save_?to)$/

/** Such a folder as the one into which a program is to write. */
function findRunningFolder(reading: Reading): Span | undefined {
  const { lower } = reading
  if (!RUNNING_FOLDER.test(lower) || !WRITTEN_TO.test(reading.name)) return undefined
  return { start: 0, end: lower.length }
}

/** A library in a folder where anybody may leave one. */
const LEFT_LIBRARY =
  /^\s{0,2}\/(?:tmp|var\/tmp|dev\/shm|proc\/(?:self|\d{1,6})\/fd)\/[\w./-]{1,120}(?:\.(?:so|dll|dylib|jar)(?:\.\d{1,3})?|(?<=\/fd\/\d{1,4}))\s{0,2}$/
const LOADED = /(?:^|[_.-])(?:driver|library|lib|plugin|module|extension|preload|engine|agent)(?:_?path)?$/
/** Keys at an address by numbers, or one that anybody on the way may change (RFC 7515 section 4.1.2). */
const KEYS_ANYWHERE = new RegExp(`^\\s{0,2}(?:http:|https:\\/\\/${ANYWHERE})`)

/** What a server installs, packed, at an address by numbers, and names of what is installed. */
const PACKED_ANYWHERE = new RegExp(
  `^\\s{0,2}(?:https?|ftp):\\/\\/${ANYWHERE}(?::\\d{1,5})?\\/[^\\s?#]{0,160}\\.(?:zip|tar(?:\\.\\w{2,4})?|tgz|whl|gem|nupkg|vsix|crx|apk|deb|rpm)(?:\\?[^\\s]{0,80})?\\s{0,2}$`,
)
const INSTALLED =
  /(?:^|[_.-])(?:plugin|theme|module|extension|add_?on|package|component|skin)(?:_?(?:url|uri|src))?$/

/** Such a library where one is to be loaded, and such an address of the keys of a token. */
function findForeignPart(reading: Reading): Span | undefined {
  const { lower } = reading
  if (PACKED_ANYWHERE.test(lower))
    return INSTALLED.test(reading.name) ? { start: 0, end: lower.length } : undefined
  const isLibrary = LEFT_LIBRARY.test(lower)
  if (!isLibrary && !KEYS_ANYWHERE.test(lower)) return undefined
  if (!(isLibrary ? LOADED.test(reading.name) : /^(?:jku|x5u)$/.test(reading.name))) return undefined
  return { start: 0, end: lower.length }
}

/** What is evaluated, matched or opened where it arrives, in one language or another. */
export const evaluatedFormRules: readonly Rule[] = [
  // What Smarty takes for a template instead of the name of one, and the formula that it evaluates.
  pattern(
    'template/resource',
    /^\s{0,4}(?:string|eval):\{(?:\$|["'(]|[a-z]{2,12}[\s}(])|\{math\s{1,4}equation\s{0,2}=\s{0,2}["'(]/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.brace,
      places: ['query', 'form', 'cookie'],
      attacks: ['string:{$x}', 'eval:{system("x")}', `{math equation='("\\163")("x")'}`],
      benign: ['string: {a}', 'eval: x', 'math equation (5)', 'string:{}'],
    },
  ),
  // A condition of OData that holds for every row (OData 4.01, URL conventions, section 5.1.1).
  pattern(
    'sqli/filter-always',
    /\bor\s{1,4}\(?\s{0,2}(?:(\d{1,4})\s{1,4}eq\s{1,4}\1\b|'([^'\n]{0,24})'\s{1,4}eq\s{1,4}'\2)|^\s{0,4}\(?(\d{1,4})\s{1,4}eq\s{1,4}\3\s{1,4}or\s/,
    {
      score: 5,
      quotable: true,
      words: WORD.sqlLogic,
      attacks: ["name eq 'x' or 1 eq 1", "x' or 'a' eq 'a", 'id eq 5) or (1 eq 1', "1 eq 1 or id eq 'x'"],
      benign: ['1 eq 1', "a eq 'x' or b eq 'x'", 'a eq 1 or b eq 1', '5 or 6 eq 11'],
    },
  ),
  {
    id: 'nosqli/slow-pattern',
    family: 'nosqli',
    score: 5,
    quotable: false,
    chars: CHAR.paren,
    words: 0,
    places: ['query', 'body', 'cookie'],
    needs: [SLOW],
    find: findSlowPattern,
    // By the name of the parameter: the cases are in `test/evaluated-forms.test.ts`.
    attacks: [],
    benign: ['(a+)+', '(1 + 2) * 3'],
  },
  {
    id: 'sqli/lookup-quote',
    family: 'sqli',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.apostrophe | CHAR.quote,
    words: 0,
    places: ['name'],
    needs: [LOOKUP_QUOTE],
    find: findLookupQuote,
    // By where the name stands: the cases are in `test/evaluated-forms.test.ts`.
    attacks: [],
    benign: ["it's", "a__b'c"],
  },
  {
    id: 'traversal/running-folder',
    family: 'traversal',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.slash,
    words: WORD.file,
    places: ['query', 'body', 'cookie'],
    needs: [RUNNING_FOLDER],
    find: findRunningFolder,
    // By the name of the parameter: the cases are in `test/evaluated-forms.test.ts`.
    attacks: [],
    benign: ['/etc/cron.d', '/var/www'],
  },
  {
    id: 'rfi/foreign-part',
    family: 'rfi',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.slash,
    words: WORD.file | WORD.host,
    needs: [LEFT_LIBRARY, KEYS_ANYWHERE, PACKED_ANYWHERE],
    find: findForeignPart,
    // By the name of the parameter: the cases are in `test/evaluated-forms.test.ts`.
    attacks: [],
    benign: ['/tmp/x.so', 'http://198.51.100.7/jwks.json'],
  },
  // A file of the system as the address that something is fetched from, in a document as well.
  pattern(
    'traversal/system-url',
    /^\s{0,4}(?:view-source:)?file:\/{1,3}(?:localhost\/)?(?:etc|proc|sys|root|dev|(?:[a-z][:|]\/{1,2})?(?:windows|winnt))\/[\w.-]/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.slash,
      words: WORD.file,
      places: ['body'],
      attacks: ['file:///etc/issue', 'file:/proc/version', 'file:///c:/windows/x.ini'],
      benign: ['file:///home/ann/app.ts', 'file:///d:/work/etc/x', 'file: /etc/x'],
    },
  ),
  // What a document of GraphQL that tries many passwords or codes at once is shown as (`body/graphql.ts`).
  pattern('probe/many-attempts', /^a:login\( b:login\( c:login\( d:login\($/, {
    score: 5,
    atStart: true,
    chars: CHAR.colon,
    words: WORD.mail,
    places: ['query', 'body'],
    attacks: ['a:login( b:login( c:login( d:login('],
    benign: ['a:login( b:login(', 'login: x'],
  }),
]
