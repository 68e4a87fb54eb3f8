import { isShellCommand } from './shell-words.ts'

/** Words that join a sentence, right behind a command. */
const SENTENCE =
  /^ (?:is|isn't|was|wasn't|are|aren't|were|has|hasn't|had|does|doesn't|did|didn't|can|can't|could|will|won't|would|should|must|may|the|a|an|and|or|but|to|it|its|this|that|which|now|not|no|with|without|for|from|of|on|in|as|by|also|still|simply|only|just|again|already|always|never|needs|works|fails|failed)(?:[ ,.!?]|$)/
/**
 * To the end of the line or to the next command: words, numbers of few digits, and what closes a sentence.
 * A name with a dot, a path, a switch, a variable or a quoted text can be what a program takes.
 */
const WORDS_ALONE =
  /^(?:[ ,]{1,2}(?:[a-z\u00df-\u{10ffff}][a-z'\u2019\u00df-\u{10ffff}-]{0,40}|\d{1,4}|--?)(?:[.!?:)]{1,3}(?=\s|$))?){2,80}\s{0,4}(?:[\n;&|]|$)/u
const SENTENCE_REACH = 480
/** Programs that run and remove nothing when all that they are given is words: not `sh a`, not `rm it`. */
const TALKED_OF =
  /^(?:curl|wget|[ef]?grep|ssh|scp|sftp|ftp|telnet|nc|ncat|netcat|nmap|tar|gzip|gunzip|unzip|bzip2|xz|openssl|gcc|clang|cmake|vim?|nano|emacs|rsync|ping|tee|wc|uniq|netstat|ifconfig|ipconfig|nslookup|traceroute|tcpdump|iptables|mysql|psql|sqlite3|ffmpeg|pandoc|chmod|chown|df|ls|ps|docker|kubectl|terraform|apt|yum|dnf|pip3?|npm)$/

/** Programs that do nothing when all that they are given is words: `; last modified by Ann`. */
const REMARKED = /^(?:date|free|host|last|set|test)$/

/**
 * Whether a program is talked of, in a sentence that goes on with words and has nothing else to its end.
 * @param rest what stands behind its name in the text
 * @param from where that begins
 */
export function isTalkedOf(command: string, rest: string, lower: string, from: number): boolean {
  if (!REMARKED.test(command) && !(TALKED_OF.test(command) && SENTENCE.test(rest))) return false
  return WORDS_ALONE.test(lower.slice(from, from + SENTENCE_REACH))
}

/** A shell, and what stands behind it where it runs what it reads: it is given no command and no file. */
const SHELL = /^(?:ba|da|z|k)?sh$/
const READS =
  /^(?:\s-s(?:\s(?:--\s)?[\w./:=-]{1,80}){0,8}|\s-[ex]{1,2})?[.,!)"']{0,2}\s{0,4}(?:$|[.,!)]\s|\s(?:and|or|then|to|which|in|on|as|but|first|again)\s)/
/**
 * A sentence that tells what to type, to the end of the fetch whose output the shell is to read. The word
 * right before the fetch does not run it, as `sudo` and `env` do, and nothing before it ends a command.
 */
const TOLD_FETCH =
  /(?:(?:^|[^\w/.-])(?:as|by|command|do|execute|first|is|just|like|or|paste|run|running|then|this|try|type|use|using|via|with)\s|[:,\u2013\u2014]\s{1,2})["'(]?(?:curl|wget)\s(?:[\w=:.,/@+-]{1,80}\s{1,2}){0,6}["']?https?:\/\/[\w.:/?=@%~+-]{1,200}["']?(?:\s{1,2}-[\w-]{1,24}){0,4}\s{1,2}$/
const COMMAND_ENDS = /[;|&`$<>\\\n\r]/
/** Quotes that a shell takes out of a word (`s''udo`), or a value that it sets before it runs something. */
const DISGUISED = /["']{2}|\w"\w|\w'\w{0,8}'\w|^\s{0,8}\w{1,40}=/
/** The first word, as a shell has it. */
const FIRST_WORD = /^\s{0,8}["'(]{0,2}([\w./-]{1,40})/
/** What runs the command behind it. */
const RUNS =
  /^(?:builtin|command|coproc|do|else|env|exec|if|nice|nohup|setsid|stdbuf|sudo|then|time|timeout|while|xargs)$/

/**
 * Whether a sentence names a shell that is to read what is fetched: `Install it with: curl -fsSL
 * https://x.example | sh`. Before the pipe stands the sentence, so that a shell that got all of it would
 * fetch nothing and read what a program of the name of its first word says. A program that shells know would
 * run, or what is behind it would.
 * @param before what stands before the pipe
 * @param rest what stands behind the name of the shell
 */
export function isToldToFetch(command: string, before: string, rest: string): boolean {
  if (!SHELL.test(command) || COMMAND_ENDS.test(before) || DISGUISED.test(before) || !READS.test(rest))
    return false
  const first = FIRST_WORD.exec(before)?.[1]?.replace(/^.*\//, '') ?? ''
  return !RUNS.test(first) && !isShellCommand(first) && TOLD_FETCH.test(`${before} `)
}
