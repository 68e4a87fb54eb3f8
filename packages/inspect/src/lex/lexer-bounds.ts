/**
 * Where the lexers stop, and how long a text may be for what they conclude. They stand in one table so that
 * they can be compared with what documents hold. A lexer takes its own into constants, which cost nothing
 * where characters are read. Counts are of characters unless they say otherwise.
 */
export const LEXER_BOUNDS = {
  shell: {
    /** In which flags of such a command are looked for. */
    flags: 64,
    /** The name of an assigned variable. */
    variableName: 16,
    /** Its value. */
    variableValue: 32,
    /** Commands of a text that are weighed; documents hold at most 125. */
    commands: 256,
    /** Parts of disguised words of a text; documents have less than half as many. */
    disguisedParts: 4_096,
    /** What counts less in some settings weighs at most this, so that it does not hide what counts in all. */
    bareScore: 4,
    /** A word, with those that a shell drops. */
    word: 48,
    /** Of how many parts and dropped signs a word is put together. */
    wordParts: 24,
    /** A variable in braces. */
    bracedVariable: 16,
    /** A variable without, behind its first. */
    bareVariable: 47,
    /** Signs between a separator and the command behind it, not counting white space. */
    gap: 16,
    /** Behind a command, in which its arguments are looked for. */
    argument: 96,
    /** Before a separator, in which what a command is hung onto is looked for. */
    before: 200,
    /** Behind a command, in which files and addresses are looked for that only an attack names. */
    sensitive: 160,
    /** Before a backtick, for a value that is nothing but what an intruder tries first. */
    beforeTried: 64,
  },
  html: {
    /** A tag. */
    tag: 1_024,
    /** The name of its element. */
    elementName: 32,
    /** Attributes of a tag. */
    attributes: 48,
    /** The name of an attribute. */
    attributeName: 40,
    /** Of its value, as much as is looked at. */
    attributeValue: 256,
    /** Behind `<script`, in which something that runs is looked for. */
    script: 512,
    /**
     * How often one character may be read on average, for tags inside the quotes of tags: pages need less
     * than one. Markup that needs more is not read to its end, and inspection says so.
     */
    rereads: 2,
    /** As `shell.bareScore`. */
    bareScore: 4,
  },
  sql: {
    /** Longest string or bracket, in tokens, that the grammar follows. */
    reach: 1_024,
    /** Tokens of a `case` up to its `end`. */
    caseTokens: 160,
    /** Steps of the grammar over a text; documents take at most 215. */
    steps: 6_000,
    /** Brackets inside each other that are told apart. */
    depth: 256,
    /** Tokens of a name with what qualifies it: `a.b.c`. */
    nameTokens: 12,
    /** Brackets that close behind a value, before what the query goes on with. */
    closing: 8,
    /** Tokens before a bracket that closes, in which the one that opens it is looked for. */
    bracketed: 64,
    /** Words and brackets between `union` and `select`. */
    unionWords: 4,
    /** Tokens behind `limit` in which another clause is looked for. */
    limitTokens: 4,
    /** Tokens of a string that is looked back over. */
    literal: 16,
    /** Tokens of the line after a comment; a longer one is not skipped. */
    line: 64,
    /** Expressions in a list of columns. */
    columns: 48,
    /** Of what `alter` does, as much as is looked at. */
    alteration: 96,
    /** A call of a series of measurements and its labels. */
    series: 160,
    /** One word before a quote, where what a form asks for stands. */
    field: 64,
    /** A value whose end in a comment says that the rest of a query was to be cut off. */
    commented: 160,
    /** A value that opens a string, which the query's own quote closes. */
    opened: 96,
    /** A value that means little, but is hardly anything else than the end of a string and an operator. */
    short: 64,
    /** As `short`, where the evidence is a bare comparison. */
    compared: 48,
    /** Before a quote with a comparison behind it: a longer text is a sentence. */
    beforeCompared: 32,
    /** Words before a quote with a comment behind it, as before. */
    wordsBeforeComment: 3,
  },
} as const
